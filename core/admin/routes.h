// What the admin port answers: from a request line to a body. No sockets here.
#pragma once

#include <string>
#include <string_view>

#include "runtime/gateway.h"

namespace weir::admin {

struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // 405: the methods there are
};

// `target` is the request's path and query. Any thread; calls only what Gateway offers to any thread.
Answer answer(runtime::Gateway& gateway, std::string_view method, std::string_view target);
// True for what is answered at once: the rest reads files or waits for the gateway, and a monitor must not wait behind it.
bool is_quick(std::string_view target);
// An answer that says what is wrong, in the form that all of them have.
Answer failure(unsigned status, const std::string& code, const std::string& message);

}  // namespace weir::admin
