#include "manifest/gateway_config.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "manifest/own_schemas.h"
#include "manifest/settings.h"

namespace weir::manifest {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kMaxJournal = uint64_t{1}
                                 << 50;      // more than any disk at the edge; keeps sums far from overflow
constexpr uint64_t kMinSegment = 64 * 1024;  // below it files are opened and closed all the time
constexpr uint64_t kMaxSegment = uint64_t{16} << 30;
constexpr uint64_t kMinMemory = 4 * kMiB;  // less than one batch of the greatest size would stall its source
constexpr uint64_t kMaxMemory = uint64_t{1} << 40;
constexpr size_t kMaxGatewayId = 64;  // it is stored with every event that is delivered

bool good_id_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
}

bool good_gateway_id(const std::string& id) {
  return !id.empty() && id.size() <= kMaxGatewayId && std::all_of(id.begin(), id.end(), good_id_letter);
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "gateway";
  std::string id(name);
  std::replace_if(
      id.begin(), id.end(), [](char letter) { return !good_id_letter(letter); }, '-');
  return id.empty() ? "gateway" : id.substr(0, kMaxGatewayId);
}

std::filesystem::path absolute(const std::filesystem::path& base, const std::filesystem::path& path) {
  return (base / path).lexically_normal();
}

// "127.0.0.1:9600" or "[::1]:9600", split; nothing when it is neither.
struct Listen {
  std::string host;
  uint16_t port;
};
std::optional<Listen> parse_listen(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return std::nullopt;
  }
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  auto [rest, failed] = std::from_chars(text.data() + colon + 1, end, port);
  if (failed != std::errc{} || rest != end) return std::nullopt;
  return Listen{host, port};
}

void read_admin(Settings& settings, GatewayConfig& config) {
  const auto listen = settings.text("/admin/listen");
  if (!listen) return;
  const auto parsed = parse_listen(*listen);
  if (!parsed) {
    settings.refuse("/admin/listen", in_quotes(*listen) + " is not an address with a port",
                    "for example \"127.0.0.1:9600\"");
  } else if (parsed->host != "localhost" && parsed->host != "::1" && !parsed->host.starts_with("127.")) {
    settings.refuse(
        "/admin/listen",
        in_quotes(*listen) + " can be reached from outside, and this version has no TLS and no token for it",
        "a loopback address, for example \"127.0.0.1:9600\"");
  } else {
    config.admin.listen = *listen;
  }
}

void read_journal(Settings& settings, GatewayConfig& config) {
  auto& journal = config.journal;
  if (auto bytes = settings.bytes("/journal/max_bytes", 2 * kMinSegment, kMaxJournal))
    journal.max_bytes = *bytes;
  if (auto time = settings.duration("/journal/retention", base::Duration{0})) journal.retention = *time;
  const auto segment = settings.bytes("/journal/segment_bytes", kMinSegment, kMaxSegment);
  if (!segment) {
    journal.segment_bytes = std::clamp(journal.max_bytes / 4, kMinSegment, journal.segment_bytes);
    return;
  }
  journal.segment_bytes = *segment;
  if (*segment > journal.max_bytes / 2) {
    settings.refuse(
        "/journal/segment_bytes",
        "a segment of " + base::human_bytes(*segment) + " is more than half of the journal's " +
            base::human_bytes(journal.max_bytes),
        "at most " + base::human_bytes(journal.max_bytes / 2) + ", or a larger /journal/max_bytes");
  }
}

}  // namespace

Problem GatewayConfig::problem(const std::string& file, std::string pointer, std::string what,
                               std::string expected) const {
  if (document) return document->value_problem(std::move(pointer), std::move(what), std::move(expected));
  return {file, {}, std::move(pointer), std::move(what), std::move(expected)};
}

GatewayConfig default_gateway_config(const std::filesystem::path& base) {
  GatewayConfig config;
  config.gateway_id = host_name();
  config.data_dir = absolute(base, "data");
  config.plugin_dirs = {absolute(base, "plugins")};
  return config;
}

GatewayConfig read_gateway_config(std::shared_ptr<const Document> document, const std::filesystem::path& base,
                                  Problems& problems) {
  GatewayConfig config = default_gateway_config(base);
  config.document = document;
  const Problems wrong = gateway_schema().check(document->root(), *document, "");
  if (!wrong.empty()) {
    problems.insert(problems.end(), wrong.begin(), wrong.end());
    return config;
  }
  Settings settings(*document, problems);
  if (auto id = settings.text("/gateway_id")) {
    if (good_gateway_id(*id)) {
      config.gateway_id = *id;
    } else {
      settings.refuse("/gateway_id", in_quotes(*id) + " cannot be a gateway's id",
                      "1 to " + std::to_string(kMaxGatewayId) + " of the characters a-z A-Z 0-9 . _ -");
    }
  }
  if (auto folder = settings.text("/data_dir")) config.data_dir = absolute(base, *folder);
  if (const auto* folders = settings.find("/plugin_dirs")) {
    config.plugin_dirs.clear();
    for (const auto& folder : *folders)
      config.plugin_dirs.push_back(absolute(base, folder.get<std::string>()));
  }
  read_admin(settings, config);
  read_journal(settings, config);
  if (auto bytes = settings.bytes("/memory/max_bytes", kMinMemory, kMaxMemory))
    config.memory.max_bytes = *bytes;
  return config;
}

}  // namespace weir::manifest
