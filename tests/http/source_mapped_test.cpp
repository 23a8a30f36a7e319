// http.source takes other people's JSON: the path says which device it is, the mapping what the body means.
#include "source_fixture.h"

namespace weir::http {
namespace {

// A Shelly H&T of the first generation, as its manual shows the status.
constexpr const char* kStatus =
    R"({"wifi_sta":{"connected":true,"rssi":-65},"tmp":{"value":22.5,"units":"C","is_valid":true},"hum":{"value":51.5},"bat":{"value":89}})";
constexpr const char* kMapping =
    R"("mapping": {"device": "{device_id}", "readings": [
         {"type": "temperature", "value": "/tmp/value", "unit": "Cel"},
         {"type": "humidity", "value": "/hum/value", "unit": "%"}]})";

class HttpMapped : public HttpSource {
 protected:
  std::optional<HttpResponse> send(HttpClient& client, const std::string& path, std::string_view body,
                                   const HttpHeaders& headers = {}) {
    return client.request("POST", path, body, headers);
  }
  // "device sensor value unit" of each event that was taken.
  std::vector<std::string> taken() {
    std::vector<std::string> lines;
    for (const test::Emitted& emitted : host_.ingress.batches()) {
      const test::Block& batch = emitted.batch;
      for (uint32_t i = 0; i < batch.count(); ++i) {
        double number = 0;
        EXPECT_TRUE(batch[i].number(&number));
        lines.push_back(std::string(batch[i].device_id()) + " " + std::string(batch[i].sensor_type()) + " " +
                        std::to_string(number).substr(0, 4) + " " + std::string(batch[i].unit()));
      }
    }
    return lines;
  }
};

TEST_F(HttpMapped, TakesTheDeviceFromThePathAndTheReadingsFromTheBody) {
  settle_at_once();
  start(kMapping);
  HttpClient client = connect();
  const auto response = send(client, "/v1/telemetry/shelly%2D1", kStatus);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 202) << response->body;
  EXPECT_EQ(json_of(response)["ids"].size(), 2u);
  EXPECT_EQ(taken(), (std::vector<std::string>{"shelly-1 temperature 22.5 Cel", "shelly-1 humidity 51.5 %"}));
  EXPECT_EQ(post(client, kEvent)->status, 202) << "the canonical form is taken beside it";
}

TEST_F(HttpMapped, TakesAnyContentTypeAndNone) {
  settle_at_once();
  start(kMapping);
  HttpClient client = connect();
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/json"}) {
    EXPECT_EQ(send(client, "/v1/telemetry/a", kStatus, {{"Content-Type", type}})->status, 202) << type;
  }
}

TEST_F(HttpMapped, NamesThePointerAndTheReasonAndTakesNothing) {
  start(kMapping);
  HttpClient client = connect();
  auto refused = send(client, "/v1/telemetry/a", R"({"tmp":{"value":[1]},"hum":{"value":51}})");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 400);
  EXPECT_EQ(error_part(refused, "code"), "cannot_map");
  EXPECT_EQ(error_part(refused, "message").substr(0, 12), "/tmp/value: ") << refused->body;
  refused = send(client, "/v1/telemetry/a", R"({"tmp":{"value":1}})");
  ASSERT_TRUE(refused);
  EXPECT_EQ(error_part(refused, "message").substr(0, 12), "/hum/value: ") << refused->body;
  EXPECT_EQ(send(client, "/v1/telemetry/a", "{")->status, 400);
  EXPECT_EQ(host_.ingress.accepted_events(), 0u);
}

TEST_F(HttpMapped, TakesThePathOfTheMappingsTemplate) {
  settle_at_once();
  start(R"("mapping": {"template": "/in/{site}/{device_id}", "device": "{site}-{device_id}",
           "readings": [{"type": "t", "value": "/t"}]})");
  HttpClient client = connect();
  EXPECT_EQ(send(client, "/in/north%20yard/7", R"({"t": 1})")->status, 202);
  EXPECT_EQ(taken(), (std::vector<std::string>{"north yard-7 t 1.00 "}));
  EXPECT_EQ(send(client, "/v1/telemetry/7", R"({"t": 1})")->status, 404);
  EXPECT_EQ(send(client, "/in/7", R"({"t": 1})")->status, 404);
  EXPECT_EQ(send(client, "/in/a%/7", R"({"t": 1})")->status, 404) << "broken percent-encoding";
  EXPECT_EQ(client.request("GET", "/in/a/7")->status, 405);
}

TEST_F(HttpMapped, AnswersBusyAndKnowsItsKeyLikeTheOtherRoute) {
  start(kMapping);
  host_.ingress.on_emit([](const weir_batch*) { return test::EmitAnswer{WEIR_BUSY, 1500, 0, "", ""}; });
  HttpClient client = connect();
  auto busy = send(client, "/v1/telemetry/a", kStatus);
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(busy->header("Retry-After"), "2");
  EXPECT_EQ(error_part(send(client, "/v1/telemetry/a", kStatus, {{"Idempotency-Key", "a b"}}), "code"), "bad_idempotency_key");
}

TEST_F(HttpMapped, RefusesAMappingThatIsWrongWithItsPlace) {
  try {
    start(R"("mapping": {"device": "{device}", "readings": [{"type": "t", "value": "/t"}]})");
    ADD_FAILURE() << "it was taken";
  } catch (const test::CallFailed& failure) {
    EXPECT_EQ(failure.pointer, "/mapping/device");
    EXPECT_NE(std::string(failure.what()).find("{device}"), std::string::npos) << failure.what();
  }
}

}  // namespace
}  // namespace weir::http
