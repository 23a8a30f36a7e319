// A running http.sink and the server that it sends to.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "support/http_receiver.h"
#include "support/plugin_host.h"

namespace weir::http::sink {

using nlohmann::json;
using test::Block;
using test::Completion;
using test::HttpReceiver;
using test::make_batch;
using test::ReceivedRequest;
using test::ReceiverAnswer;
using test::TestEvent;

class HttpSink : public testing::Test {
 protected:
  // A sink to `url` with further configuration.
  test::Instance& start_to(const std::string& url, json config = json::object()) {
    config["url"] = url;
    sink_.emplace(library_, host_, "http.sink", config.dump());
    sink_->prepare();
    sink_->start();
    return *sink_;
  }
  // A server that answers so, and a sink to it.
  test::Instance& start(HttpReceiver::Answer answer, const json& config = json::object()) {
    receiver_ = std::make_unique<HttpReceiver>(std::move(answer));
    return start_to(receiver_->url(), config);
  }
  test::Instance& start(const json& config = json::object()) {
    return start([](const ReceivedRequest&, size_t) { return ReceiverAnswer{}; }, config);
  }

  test::PluginLibrary library_{test::plugin_path("http")};
  test::PluginHost host_;
  std::unique_ptr<HttpReceiver> receiver_;
  std::optional<test::Instance> sink_;  // last: it must end before its host
};

// n events of n devices with the values 0, 1 ...
inline Block numbers(size_t n, uint64_t first_sequence = 1) {
  std::vector<TestEvent> events;
  for (size_t i = 0; i < n; ++i) {
    events.push_back(
        {.device_id = "device-" + std::to_string(i), .value = static_cast<int64_t>(i), .id_byte = 0x0F});
  }
  return make_batch(events, 1, first_sequence);
}

// One letter an event: D(elivered), Y (retry), J (reject), as `weir plugin check` writes it.
inline std::string outcomes(const Completion& completion, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t outcome = completion.of(i).outcome;
    out += outcome == WEIR_DELIVERED ? 'D' : outcome == WEIR_RETRY ? 'Y' : outcome == WEIR_REJECT ? 'J' : '?';
  }
  return out;
}

// A server that refuses requests which hold one of these values, without saying which.
inline HttpReceiver::Answer refusing(std::set<int64_t> bad, int status) {
  return [bad = std::move(bad), status](const ReceivedRequest& request, size_t) {
    for (const json& event : request.events()) {
      if (bad.contains(event["value"].get<int64_t>()))
        return ReceiverAnswer{.status = status, .body = "a value is bad"};
    }
    return ReceiverAnswer{};
  };
}

}  // namespace weir::http::sink
