// Takes the PROXY header off a connection, and not a byte more: what follows it is the client's,
// and may be TLS or a login in the same segment.
#pragma once

#include "gateway/net/tls_stream.h"
#include "gateway/proxy_protocol/received_header.h"

namespace gatehouse::proxy_protocol {

// A sender that closes without a byte is a health check too; one that closes in the middle of a
// header has sent a malformed one. Stays incomplete exactly if the stream was aborted: the caller
// has the deadline. REQUIRES: nothing was read from the stream.
Awaitable<ReceivedHeader> receive_header(Stream& stream);

}  // namespace gatehouse::proxy_protocol
