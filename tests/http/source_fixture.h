// A running http.source on a port of its own, and what tests of it say often.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/http.h"
#include "support/plugin_host.h"

namespace weir::http {

using test::HttpClient;
using test::HttpHeaders;
using test::HttpResponse;
using test::kPatience;

inline const HttpHeaders kJsonContent = {{"Content-Type", "application/json"}};
inline constexpr const char* kEvent = R"({"device_id":"d1","sensor_type":"temperature","value":21.5})";

// The bytes of POST /v1/events with `body`, for tests that send them in pieces.
inline std::string post_of(std::string_view body, std::string_view further_headers = "") {
  std::string out =
      "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ";
  out += std::to_string(body.size()) + "\r\n";
  return out.append(further_headers).append("\r\n").append(body);
}
inline constexpr const char* kHealthRequest = "GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n";

// True when bytes from the server wait to be read.
inline bool has_bytes(const HttpClient& client) {
  char byte;
  return ::recv(client.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

inline nlohmann::json json_of(const std::optional<HttpResponse>& response) {
  return response ? nlohmann::json::parse(response->body, nullptr, false) : nlohmann::json();
}

// The member of {"error": {...}}, "" when it is not that form.
inline std::string error_part(const std::optional<HttpResponse>& response, const char* key) {
  const auto body = json_of(response);
  return body.is_object() && body.contains("error") ? body["error"].value(key, "") : "";
}

class HttpSource : public testing::Test {
 protected:
  // `config`: keys besides "listen", as the inside of a JSON object.
  void start(const std::string& config = "") {
    const std::string listen = R"({"listen": "127.0.0.1:0")";
    instance_.emplace(library_, host_, "http.source", listen + (config.empty() ? "" : ", " + config) + "}");
    instance_->prepare();
    instance_->start();
  }

  void settle_at_once() { host_.ingress.settle_mode(test::Settle::kFromAnotherThread); }

  HttpClient connect() { return HttpClient(host_.port()); }

  std::optional<HttpResponse> post(HttpClient& client, std::string_view body,
                                   HttpHeaders headers = kJsonContent) {
    return client.request("POST", "/v1/events", body, headers);
  }

  // When this is back, the server's thread has seen all that had arrived before.
  void pass_through_server() {
    const auto response = test::http_request(host_.port(), "GET", "/v1/health");
    ASSERT_TRUE(response);
    ASSERT_EQ(response->status, 200);
  }

  bool wait_for_metric(const char* name, double value) {
    return test::wait_until([&] { return host_.metric(name) == value; });
  }

  test::PluginLibrary library_{test::plugin_path("http")};
  test::PluginHost host_;
  std::optional<test::Instance> instance_;
};

}  // namespace weir::http
