#include "mapped_route.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "weir/plugin.hpp"

namespace weir::http {
namespace {

constexpr const char* kDefaultPath = "/v1/telemetry/{device_id}";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool decode(std::string_view encoded, std::string* out) {
  out->clear();
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      *out += encoded[i];
      continue;
    }
    if (encoded.size() - i < 3 || digit(encoded[i + 1]) < 0 || digit(encoded[i + 2]) < 0) return false;
    *out += static_cast<char>(digit(encoded[i + 1]) * 16 + digit(encoded[i + 2]));
    i += 2;
  }
  return true;
}

std::unique_ptr<const mapping::Mapping> compile(const std::string& document, bool own_template) {
  static constexpr std::string_view kOfThePath[] = {"device_id"};
  mapping::MappingFault fault;
  auto mapping = own_template ? mapping::Mapping::compile(document, {}, &fault)
                              : mapping::Mapping::compile(document, kOfThePath, &fault);
  if (mapping == nullptr) throw sdk::Failure(WEIR_E_INVALID, fault.message, "/mapping" + fault.pointer);
  return mapping;
}

mapping::Template address_of(const mapping::Mapping& mapping) {
  const mapping::Template address =
      mapping.address() != nullptr ? *mapping.address() : *mapping::Template::compile(kDefaultPath, nullptr);
  if (address.text().front() != '/') {
    throw sdk::Failure(WEIR_E_INVALID, "must be a path here, beginning with /", "/mapping/template");
  }
  return address;
}

bool has_template(const std::string& document) {
  const auto json = nlohmann::json::parse(document, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("template");
}

}  // namespace

MappedRoute::MappedRoute(const std::string& document)
    : mapping_(compile(document, has_template(document))), address_(address_of(*mapping_)) {
  decoded_.resize(address_.names().size());
  values_.resize(decoded_.size());
}

bool MappedRoute::match(std::string_view path) {
  mapping::TemplateFault unused;
  if (!address_.match(path, &raw_, &unused)) return false;
  for (size_t i = 0; i < raw_.size(); ++i) {
    if (!decode(raw_[i], &decoded_[i])) return false;
    values_[i] = decoded_[i];
  }
  return true;
}

bool MappedRoute::parse(std::string_view body, int64_t received_ns, sdk::BatchBuilder& out,
                        mapping::PayloadFault* fault) {
  return parser_.parse(*mapping_, body, {values_, received_ns}, out, fault);
}

}  // namespace weir::http
