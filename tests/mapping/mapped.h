// Applying a mapping in a test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/events.h"
#include "weir/mapping/mapping.h"

namespace weir::mapping {

// A Tuesday; when payloads of tests are received.
inline constexpr int64_t kReceivedNs = 1'700'000'000'000'000'000;

// The compiled document; a fault fails the test and ends the program's use of it with an exception.
std::unique_ptr<const Mapping> compiled(std::string_view document);

// The events of a payload that came to `topic` (only when the document has a template). A fault fails the
// test.
std::vector<test::TestEvent> mapped(std::string_view document, std::string_view payload,
                                    std::string_view topic = "");

// The fault of a payload that must be refused.
PayloadFault refused(std::string_view document, std::string_view payload);

// The fault of a document that must be refused.
MappingFault wrong(std::string_view document);

// An event with these fields, as events_of() gives it for what a source makes: nothing of the host's is set.
test::TestEvent event(std::string device, std::string type, test::TestValue value, std::string unit = "",
                      int64_t timestamp_ns = 0);

}  // namespace weir::mapping
