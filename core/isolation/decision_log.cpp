#include "isolation/decision_log.h"

#include <vector>

namespace weir::isolation {
namespace {

enum class Entry : uint8_t { kKeepRun = 1, kDrop, kReject, kAmend, kEmit, kPut };

std::string_view view(weir_text text) { return {text.size != 0 ? text.data : "", static_cast<size_t>(text.size)}; }
weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct DecisionCalls {
  static DecisionLog& of(weir_output* output) { return *static_cast<DecisionLog*>(output); }

  static void keep(weir_output* output, uint32_t i) noexcept {
    DecisionLog& log = of(output);
    if (log.checks_) log.checked_.keep(&log.checked_, i);
    if (log.kept_ != 0 && log.kept_from_ + log.kept_ == i) {
      ++log.kept_;
      return;
    }
    log.flush_kept();
    log.kept_from_ = i;
    log.kept_ = 1;
  }

  static void drop(weir_output* output, uint32_t i, weir_text reason) noexcept {
    DecisionLog& log = of(output);
    log.flush_kept();
    if (log.checks_) log.checked_.drop(&log.checked_, i, reason);
    log.log_.number(Entry::kDrop).number(i).text(view(reason));
  }

  static void reject(weir_output* output, uint32_t i, uint32_t code, weir_text message) noexcept {
    DecisionLog& log = of(output);
    log.flush_kept();
    if (log.checks_) log.checked_.reject(&log.checked_, i, code, message);
    log.log_.number(Entry::kReject).number(i).number(code).text(view(message));
  }

  static weir_status amend(weir_output* output, uint32_t i, const weir_amendment* amendment) noexcept {
    DecisionLog& log = of(output);
    log.flush_kept();
    weir_status status = log.checks_ ? log.checked_.amend(&log.checked_, i, amendment) : weir_status{WEIR_OK};
    if (status != WEIR_OK) return status;
    log.log_.number(Entry::kAmend).number(i).number(amendment->field).number(amendment->value_type);
    log.log_.number(amendment->value).text(view(amendment->text)).text(view(amendment->key));
    return status;
  }

  static weir_status emit(weir_output* output, uint32_t cause, const weir_new_event* event) noexcept {
    DecisionLog& log = of(output);
    log.flush_kept();
    weir_status status = log.checks_ ? log.checked_.emit(&log.checked_, cause, event) : weir_status{WEIR_OK};
    if (status != WEIR_OK) return status;
    log.log_.number(Entry::kEmit).number(cause).number(event->timestamp_ns).number(event->value_type);
    log.log_.number(event->value).number(event->metadata_count);
    for (weir_text part : {event->device_id, event->sensor_type, event->unit, event->value_text}) {
      log.log_.text(view(part));
    }
    for (uint32_t k = 0; k < 2 * event->metadata_count; ++k) log.log_.text(view(event->metadata[k]));
    return status;
  }

  static weir_status put(weir_output* output, weir_text key, const void* value, uint64_t size) noexcept {
    DecisionLog& log = of(output);
    log.flush_kept();
    log.log_.number(Entry::kPut).text(view(key)).text({static_cast<const char*>(value), static_cast<size_t>(size)});
    return WEIR_OK;
  }
};

DecisionLog::DecisionLog()
    : weir_output{&DecisionCalls::keep,  &DecisionCalls::drop, &DecisionCalls::reject,
                  &DecisionCalls::amend, &DecisionCalls::emit, &DecisionCalls::put} {}

void DecisionLog::begin(const event::Block& block) {
  log_.bytes().clear();
  kept_ = 0;
  checks_ = true;
  checked_.begin(block);
}

void DecisionLog::begin_tick() {
  log_.bytes().clear();
  kept_ = 0;
  checks_ = false;
}

void DecisionLog::flush_kept() {
  if (kept_ != 0) log_.number(Entry::kKeepRun).number(kept_from_).number(kept_);
  kept_ = 0;
}

std::string_view DecisionLog::finish(weir_status status) {
  flush_kept();
  if (checks_) checked_.settle(status, "");
  return log_.bytes();
}

namespace {

// Goes through the log; makes the calls when there is an output, and looks only when there is none.
bool walk(std::string_view log, uint32_t offset, uint32_t count, weir_output* output) {
  Reader reader(log);
  uint64_t kept = 0;
  while (!reader.at_end() && reader.ok()) {
    auto entry = reader.number<Entry>();
    if (entry == Entry::kPut) {
      std::string_view key = reader.text(), value = reader.text();
      if (reader.ok() && output != nullptr) output->put(output, text_of(key), value.data(), value.size());
      continue;
    }
    auto index = reader.number<uint32_t>();
    if (index >= count) return false;
    uint32_t i = index + offset;
    if (entry == Entry::kKeepRun) {
      auto n = reader.number<uint32_t>();
      kept += n;
      // A plugin may keep an event twice, but not make the gateway count for minutes.
      if (n > count - index || kept > 2 * uint64_t{count}) return false;
      for (uint32_t k = 0; output != nullptr && k < n; ++k) output->keep(output, i + k);
    } else if (entry == Entry::kDrop) {
      std::string_view reason = reader.text();
      if (reader.ok() && output != nullptr) output->drop(output, i, text_of(reason));
    } else if (entry == Entry::kReject) {
      auto code = reader.number<uint32_t>();
      std::string_view message = reader.text();
      if (reader.ok() && output != nullptr) output->reject(output, i, code, text_of(message));
    } else if (entry == Entry::kAmend) {
      weir_amendment amendment{};
      amendment.field = reader.number<uint32_t>();
      amendment.value_type = reader.number<uint32_t>();
      amendment.value = reader.number<weir_value>();
      amendment.text = text_of(reader.text());
      amendment.key = text_of(reader.text());
      if (reader.ok() && output != nullptr) output->amend(output, i, &amendment);
    } else if (entry == Entry::kEmit) {
      weir_new_event event{};
      event.timestamp_ns = reader.number<int64_t>();
      event.value_type = reader.number<uint32_t>();
      event.value = reader.number<weir_value>();
      event.metadata_count = reader.number<uint32_t>();
      for (weir_text* part : {&event.device_id, &event.sensor_type, &event.unit, &event.value_text}) {
        *part = text_of(reader.text());
      }
      if (event.metadata_count > log.size()) return false;
      std::vector<weir_text> metadata;
      for (uint32_t k = 0; k < 2 * event.metadata_count && reader.ok(); ++k) metadata.push_back(text_of(reader.text()));
      event.metadata = metadata.data();
      if (reader.ok() && output != nullptr) output->emit(output, i, &event);
    } else {
      return false;
    }
  }
  return reader.ok();
}

}  // namespace

bool tell(std::string_view log, uint32_t offset, uint32_t count, weir_output* output) {
  return walk(log, offset, count, nullptr) && walk(log, offset, count, output);
}

}  // namespace weir::isolation
