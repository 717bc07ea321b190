// What the admin socket can ask of the running gateway: the text of one JSON object in, one out.
// Knows no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "gateway/admin/session_filter.h"

namespace gatehouse {

class Gateway;

// Who asks, as the kernel says.
struct AdminPeer {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
};

class AdminCommands {
 public:
  explicit AdminCommands(Gateway& gateway) : gateway_(gateway) {}

  // Calls `reply` once, now or later, with {"ok": true, "result": …} or {"ok": false, "error":
  // text}. `line` is whatever the peer sent. Commands that change something are audited.
  using Reply = std::function<void(std::string)>;
  void run(std::string_view line, const AdminPeer& peer, Reply reply);

 private:
  // Unset: `error` says what is wrong with the question.
  [[nodiscard]] std::optional<SessionFilter> read_filter(const boost::json::object& request,
                                                         std::string& error) const;
  [[nodiscard]] std::optional<std::string> read_server(const boost::json::object& request,
                                                       std::string& error) const;
  void status(const Reply& reply);
  void rules(const Reply& reply);
  void reload(const AdminPeer& peer, Reply reply);
  void sessions(const boost::json::object& request, Reply reply);
  void close(const boost::json::object& request, const AdminPeer& peer, Reply reply);
  void lockdown(const boost::json::object& request, const AdminPeer& peer, const Reply& reply);
  void unblock(const boost::json::object& request, const AdminPeer& peer, const Reply& reply);

  Gateway& gateway_;
};

}  // namespace gatehouse
