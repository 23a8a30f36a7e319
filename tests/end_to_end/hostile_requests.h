// Requests that no well-behaved device sends, and what they are answered.
#pragma once

#include <string>
#include <vector>

namespace weir::test {

struct Expected {
  int status;
  const char* code = "";  // of {"error": {"code": ...}}; "": not looked at
};

struct HostileRequest {
  std::string name;
  std::string bytes;
  std::vector<Expected> answers;  // in order
  bool closes = false;            // the server ends the connection after them
  bool half_close = false;        // the client says first that it sends nothing more
  bool head = false;              // the answer has no body
};

const std::vector<HostileRequest>& hostile_requests();

}  // namespace weir::test
