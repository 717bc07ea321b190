// The admin socket: a unix socket of mode 0600. A line of JSON in, a line out, and the connection
// is over.
#pragma once

#include <filesystem>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "gateway/admin/commands.h"
#include "gateway/net/asio.h"
#include "gateway/standing_work.h"

namespace gatehouse {

class ControlSocket {
 public:
  // Both must outlive what runs on the context of `work`.
  ControlSocket(StandingWork& work, AdminCommands& commands)
      : work_(work), acceptor_(work.context()), commands_(commands) {}
  ~ControlSocket();

  // Empty: listening. Else why not, in words. A socket that nobody listens on any more is replaced.
  std::string listen(const std::filesystem::path& path);

 private:
  using Protocol = asio::local::stream_protocol;
  StandingWork& work_;
  asio::basic_socket_acceptor<Protocol, Executor> acceptor_;
  AdminCommands& commands_;
  std::filesystem::path path_;
};

}  // namespace gatehouse
