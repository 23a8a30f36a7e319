// What a component makes of its configuration.
#include <filesystem>

#include "check/checks.h"
#include "check/config_samples.h"
#include "check/process_facts.h"
#include "check/subject.h"
#include "event/validate.h"

namespace weir::check {
namespace {

constexpr size_t kVariations = 300;

std::string shortened(const std::string& text) {
  constexpr size_t kMost = 120;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "... (" + std::to_string(text.size()) + " bytes)";
}

// A pointer of an error must lead to a key, or to where one is missing.
void judge_pointer(Trial& trial, const nlohmann::json& config, const std::string& pointer) {
  if (pointer.empty() || pointer[0] != '/') return;
  try {
    (void)config.at(nlohmann::json::json_pointer(pointer).parent_pointer());
  } catch (const nlohmann::json::exception&) {
    trial.find("error-text", "create() fails with the pointer '" + pointer + "', which leads nowhere in the configuration");
  }
}

// The same refusal into buffers that are too small for it.
void refuse_into_small_buffers(Trial& trial, Estate& estate, const std::string& config) {
  for (uint32_t capacity : {0u, 1u, 8u}) {
    Host host(trial, estate, {});
    ErrorBuffer error(capacity, capacity);
    void* made = nullptr;
    Doing doing(trial.board(), "create with a small error buffer", trial.job().call_limit);
    weir_status status = trial.life()->create(&host, {config.data(), config.size()}, &made, error.get());
    // Only what lies behind the buffers counts: in one byte there is no text.
    if (capacity > 1 || status == WEIR_OK) (void)error.judge(trial, "create", status);
    if (capacity <= 1 && status != WEIR_OK) (void)error.judge(trial, "create", WEIR_OK);
    if (status == WEIR_OK) trial.life()->destroy(made);
  }
}

}  // namespace

void check_create(Trial& trial) {
  const std::string& schema = trial.component().config_schema;
  if (trial.job().config_given) {
    const auto config = nlohmann::json::parse(trial.job().config, nullptr, false);
    if (auto fits = fits_schema(schema, config); !fits) {
      return trial.not_run("the configuration given does not fit the schema: " + fits.error().what);
    }
  } else if (auto least = least_config(schema); !least) {
    return trial.not_run("no configuration could be made from the schema (" + least.error().what + "): give --config FILE");
  }
  Estate estate;
  Subject subject(trial, estate);
  Answer answer = subject.create();
  if (answer.ok()) return subject.destroy();
  const std::string why = "create() refuses " + shortened(trial.job().config) + ": " + answer.text;
  if (trial.job().config_given) return trial.find(why);
  trial.not_run(why + "; give --config FILE");
}

void check_create_opens_nothing(Trial& trial) {
  const auto folder = std::filesystem::current_path();
  auto files = [&] { return std::distance(std::filesystem::recursive_directory_iterator(folder), {}); };
  Estate estate;
  for (int i = 0; i < 2; ++i) {
    // The first time a library may set itself up; what is left then is not an instance's.
    Subject subject(trial, estate);
    const size_t threads = count_threads();
    const auto descriptors = open_descriptors();
    const auto before = files();
    if (!subject.must("create", subject.create())) return;
    if (count_threads() > threads) trial.find("create() starts a thread");
    if (files() != before) trial.find("create() makes files");
    if (i == 0) continue;
    for (const auto& [fd, what] : open_descriptors()) {
      if (!descriptors.contains(fd)) trial.find("create() opens " + what);
    }
  }
}

void check_config_values(Trial& trial) {
  const auto least = nlohmann::json::parse(trial.job().config, nullptr, false);
  const auto variations = config_variations(trial.component().config_schema, least, kVariations);
  size_t refused = 0;
  Estate estate;
  for (const nlohmann::json& config : variations) {
    const std::string text = config.dump();
    Subject subject(trial, estate);
    Doing doing(trial.board(), "create with the configuration " + shortened(text), 2 * trial.job().call_limit);
    Answer answer = subject.create(text);
    if (answer.ok()) {
      subject.destroy();
      continue;
    }
    ++refused;
    judge_pointer(trial, config, answer.pointer);
    refuse_into_small_buffers(trial, estate, text);
    if (answer.status == WEIR_E_INTERNAL) {
      trial.find("create() answers a configuration that fits the schema with an internal error, " + shortened(text) +
                 ": " + answer.text);
    }
  }
  trial.note(std::to_string(variations.size()) + " configurations, " + std::to_string(refused) + " refused");
}

}  // namespace weir::check
