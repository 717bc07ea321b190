// The part of the gateway that keeps listeners bound to their devices. A socket is bound to the
// device that had the name at that moment: one that is made anew, as when a network is restarted,
// has another number, and nothing would arrive any more.
#include <net/if.h>

#include "gateway/gateway.h"
#include "gateway/limits.h"

namespace gatehouse {

// Port 0 stands for a socket each, so there the place in the file tells two of them apart.
std::string Gateway::key_of(const config::Listener& listener, std::size_t index) {
  const config::SocketAddress& address = listener.addresses[index];
  std::string key = socket_key(address, listener.device);
  if (address.port == 0) key += " of " + listener.name + "#" + std::to_string(index);
  return key;
}

void Gateway::bind_to_new_devices() {
  bool is_new = false;
  for (const ListenerState& state : snapshot_->listeners) {
    const config::Listener& listener = *state.listener;
    if (!listener.device) continue;
    const bool is_there = ::if_nametoindex(listener.device->c_str()) != 0;
    for (std::size_t index = 0; is_there && index < listener.addresses.size(); ++index) {
      is_new |= sockets_.count(key_of(listener, index)) == 0;
    }
    const bool was_there = missing_devices_.count(*listener.device) == 0;
    if (is_there == was_there) continue;
    if (is_there) {
      missing_devices_.erase(*listener.device);
    } else {
      missing_devices_.insert(*listener.device);
      log_.warning("listener {}: its device {} has gone; nothing arrives until it is back",
                   listener.name, *listener.device);
    }
  }
  if (!is_new) return;
  config::Diagnostics diagnostics;
  Sockets sockets = bind(*snapshot_, diagnostics);
  // Its address may come a moment later than a device: it is tried again.
  if (diagnostics.has_errors()) return;
  for (const auto& [key, descriptors] : sockets.added) {
    const Socket& socket = sockets.by_key.at(key);
    log_.info("listener {}: {} is bound to the new device of that name", socket.listener,
              to_string(socket.address));
  }
  sockets_ = std::move(sockets.by_key);
  remember_bound(std::move(sockets.added));
  hand_out();
}

}  // namespace gatehouse
