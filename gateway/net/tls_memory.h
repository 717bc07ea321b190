// Whether the TLS library got the memory that it asked for. Where it did not, it often goes on
// without a word, and what it made lacks something: a certificate that vouches for none.
#pragma once

namespace gatehouse {

// Once, before the library is used by anything: from then on it is noted.
void watch_tls_memory() noexcept;

// Whether the library was refused memory in the calling thread since this was last asked there.
[[nodiscard]] bool tls_lacked_memory() noexcept;

}  // namespace gatehouse
