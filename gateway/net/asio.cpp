// Asio's own code, once for all units (BOOST_ASIO_SEPARATE_COMPILATION).
#include "gateway/net/asio.h"

#include <boost/asio/impl/src.hpp>
