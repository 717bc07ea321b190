// A clock that a target sets: deadlines of hours pass within a run, and the same input finds the
// same times again. Linked into a target, it stands in for the system's own.
#pragma once

#include <chrono>

namespace gatehouse::fuzz {

// From now on the steady clock stands still on this thread, but for pass(); on others it goes on.
void stop_the_clock();
void pass(std::chrono::milliseconds time);

}  // namespace gatehouse::fuzz
