// Sessions that have been let in, a round of them at a time: what is done over them is measured,
// and not how they came to be.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/tool/client.h"
#include "bench/tool/rounds.h"

namespace gatehouse::bench {

// One, which has been asked once. Null: it failed, and `why` says how.
[[nodiscard]] std::unique_ptr<Client> establish(const Target& target, const Account& account,
                                                SSL_CTX& context, StageTimes& times,
                                                std::string& why);

// `count` of them. False: one failed.
using Clients = std::vector<std::unique_ptr<Client>>;
[[nodiscard]] bool establish(const Subjects& subjects, const Target& target, std::size_t count,
                             Clients& clients, std::string& why);

}  // namespace gatehouse::bench
