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

}  // namespace weir::admin
