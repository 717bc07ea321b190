// The way to where a backend is, before a word of its protocol: its addresses, the first of them
// that takes the connection, and the socket's options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "gateway/net/name_lookup.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse {

// Why there is no connection.
struct Unreached {
  bool is_aborted = false;
  std::string why{};     // in words for the log
  bool is_ours = false;  // this process lacks something; the backend is not to blame
};

class Reach {
 public:
  // The connection being made stands in `slot`, which must outlive this.
  explicit Reach(std::optional<Stream>& slot) noexcept : slot_(slot) {}

  // Unset: it is connected. Again and again, one after the other. It sets no time limit: whoever
  // does has stop(). `place` must outlive the result.
  Awaitable<std::optional<Unreached>> run(const config::BackendPlace& place);
  // Ends what run() is at, and afterwards what is done with the connection.
  void stop() noexcept;

 private:
  using Endpoint = asio::generic::stream_protocol::endpoint;

  Awaitable<std::optional<Unreached>> connect_to_first(const std::vector<Endpoint>& endpoints);

  std::optional<Stream>& slot_;
  std::optional<NameLookup> lookup_;
};

}  // namespace gatehouse
