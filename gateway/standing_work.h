// Work of the control thread that must always be under way, whatever happens to it.
//
// A lack of memory ends a coroutine anywhere, and not always with an exception that it could catch:
// what the start of an operation throws leaves io_context::run (Boost 1.81), and the coroutine is
// gone without a word. Then it is begun again from its beginning.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "gateway/net/asio.h"
#include "gateway/observe/log.h"

namespace gatehouse {

// On the thread that runs `context`.
class StandingWork {
 public:
  // Makes the coroutine. One that returns has done its work, and is not begun again.
  using Make = std::function<Awaitable<void>()>;

  // Both must outlive this.
  StandingWork(asio::io_context& context, Log& log) : context_(context), log_(log) {}

  // Begins it, or where there is no memory for that now, will. `name`: what operators read when it
  // had to begin again. Throws std::bad_alloc: it is not kept.
  void keep(std::string name, Make make);
  // To be called regularly: begins again what has ended without returning.
  void begin_again();
  [[nodiscard]] asio::io_context& context() const noexcept { return context_; }

 private:
  struct Work {
    std::string name;
    Make make;
    std::weak_ptr<void> under_way{};  // gone with the coroutine
    bool is_done = false;
  };

  static Awaitable<void> run(std::shared_ptr<Work> work, std::shared_ptr<void> under_way);
  void begin(const std::shared_ptr<Work>& work);

  asio::io_context& context_;
  Log& log_;
  std::list<std::shared_ptr<Work>> all_;
};

}  // namespace gatehouse
