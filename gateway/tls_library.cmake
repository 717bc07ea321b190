# `gatehouse_tls`: the TLS library that everything is linked with, of those that GATEHOUSE_TLS may name.
set(GATEHOUSE_TLS openssl CACHE STRING "The TLS library: openssl (Debian's) or aws-lc")
set_property(CACHE GATEHOUSE_TLS PROPERTY STRINGS openssl aws-lc)

add_library(gatehouse_tls INTERFACE)
if(GATEHOUSE_TLS STREQUAL "openssl")
  find_package(OpenSSL 3.0 REQUIRED)
  target_link_libraries(gatehouse_tls INTERFACE OpenSSL::SSL OpenSSL::Crypto)
elseif(GATEHOUSE_TLS STREQUAL "aws-lc")
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/aws-lc --prefix
    OUTPUT_VARIABLE aws_lc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT IS_DIRECTORY ${aws_lc})
    message(FATAL_ERROR "AWS-LC is not in ${aws_lc} yet. This fetches and builds it:\n  gateway/aws-lc")
  endif()
  # Another version that is pinned there is another library to build with.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/aws-lc)
  # Not what an earlier version left in CMake's cache.
  unset(crypto_DIR CACHE)
  unset(ssl_DIR CACHE)
  find_package(crypto CONFIG REQUIRED PATHS ${aws_lc} NO_DEFAULT_PATH)
  find_package(ssl CONFIG REQUIRED PATHS ${aws_lc} NO_DEFAULT_PATH)
  target_link_libraries(gatehouse_tls INTERFACE AWS::ssl AWS::crypto)
else()
  message(FATAL_ERROR "GATEHOUSE_TLS is \"${GATEHOUSE_TLS}\": it must be openssl or aws-lc")
endif()
