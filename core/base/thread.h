// Threads that can be told apart in `top -H` and in a debugger.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace weir::base {

// Starts a thread under this name, of which Linux keeps the first 15 bytes.
std::thread start_thread(const std::string& name, std::function<void()> body);

}  // namespace weir::base
