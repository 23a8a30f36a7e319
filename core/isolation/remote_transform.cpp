// A transform in a child. The caller waits while the child works, and while it is started again: an event is decided once,
// whatever happens to the process. When the caller itself is to end, interrupt() lets it go without a decision.
#include <algorithm>
#include <cstring>

#include "base/interrupted.h"
#include "event/merge.h"
#include "isolation/decision_log.h"
#include "isolation/remote.h"

namespace weir::isolation {
namespace {

weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

void copy_text(weir_error* error, std::string_view from) {
  if (error == nullptr || error->text == nullptr || error->text_capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), error->text_capacity - 1);
  std::memcpy(error->text, from.data(), size);
  error->text[size] = '\0';
}

}  // namespace

// Passes decisions on and keeps what a stateful transform puts: the next child gets it.
struct PutRecorder final : weir_output {
  PutRecorder(Remote& to_remote, weir_output* to_output) : weir_output{}, remote(to_remote), output(to_output) {
    keep = [](weir_output* o, uint32_t i) { of(o).output->keep(of(o).output, i); };
    drop = [](weir_output* o, uint32_t i, weir_text reason) { of(o).output->drop(of(o).output, i, reason); };
    reject = [](weir_output* o, uint32_t i, uint32_t code, weir_text message) {
      of(o).output->reject(of(o).output, i, code, message);
    };
    amend = [](weir_output* o, uint32_t i, const weir_amendment* amendment) {
      return of(o).output->amend(of(o).output, i, amendment);
    };
    emit = [](weir_output* o, uint32_t cause, const weir_new_event* event) {
      return of(o).output->emit(of(o).output, cause, event);
    };
    put = [](weir_output* o, weir_text key, const void* value, uint64_t size) {
      weir_status status = of(o).output->put(of(o).output, key, value, size);
      if (status == WEIR_OK) {
        of(o).remote.remember_put({key.data, static_cast<size_t>(key.size)},
                                  {static_cast<const char*>(value), static_cast<size_t>(size)});
      }
      return status;
    };
  }
  static PutRecorder& of(weir_output* o) { return *static_cast<PutRecorder*>(o); }

  Remote& remote;
  weir_output* output;
};

void Remote::remember_put(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  if (value.empty()) {
    state_.erase(std::string(key));
  } else {
    state_[std::string(key)] = value;
  }
}

// Null when there is none and nobody waits for one any more.
std::shared_ptr<Link> Remote::wait_for_child() {
  std::unique_lock lock(mutex_);
  auto serves = [&] { return link_ != nullptr && link_->alive(); };
  changed_.wait(lock, [&] { return ending_ || interrupted_ || serves(); });
  return !ending_ && serves() ? link_ : nullptr;
}

// One try. False when the child died.
bool Remote::ask(Message message, std::initializer_list<std::string_view> parts, Events about, weir_output* output,
                 weir_status* status, std::string* text) {
  std::shared_ptr<Link> child = wait_for_child();
  if (child == nullptr) {
    *status = base::kInterrupted;
    return true;
  }
  std::string_view body;
  if (!child->exchange(message, parts, &body)) {
    // Not before it is known how it ended: then the next call waits for its successor.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ending_ || interrupted_ || link_ != child || ended_ == serving_; });
    return false;
  }
  Reader reader(body);
  *status = reader.number<weir_status>();
  if (*status == base::kInterrupted) *status = WEIR_E_INTERNAL;  // that is not the child's to say
  *text = reader.text();
  PutRecorder recorder(*this, output);
  bool stateful = options_.component.stateful;
  if (!reader.ok() || !tell(reader.rest(), about.from, about.count, stateful ? &recorder : output)) {
    child->kill("sent nonsense and was ended");
    return false;
  }
  return true;
}

weir_status Remote::process(const weir_transform_context& context, const weir_batch* batch, weir_output* output,
                            weir_error* error) {
  Writer head;
  head.number(context.position).number(context.now_ns);
  std::string_view bytes(reinterpret_cast<const char*>(batch), static_cast<size_t>(batch->total_size));
  weir_status status = WEIR_OK;
  std::string text;
  // The second time too the batch goes whole: what killed the child may have come from outside.
  for (int tries = 0; tries < 2; ++tries) {
    if (!ask(Message::kProcess, {head.bytes(), bytes}, {0, batch->count}, output, &status, &text)) continue;
    copy_text(error, text);
    return status;
  }
  return process_one_by_one(context, batch, output);
}

weir_status Remote::process_one_by_one(const weir_transform_context& context, const weir_batch* batch,
                                       weir_output* output) {
  for (uint32_t i = 0; i < batch->count; ++i) {
    event::Merger merger;
    merger.add(batch, i);
    event::Block one = merger.take();
    Writer head;
    head.number(context.position + i).number(context.now_ns);
    std::string_view bytes(reinterpret_cast<const char*>(one.data()), one.size());
    weir_status status = WEIR_OK;
    std::string text, how;
    bool decided = false;
    for (uint32_t deaths = 0; !decided && deaths < Suspects::kDeaths; ++deaths) {
      decided = ask(Message::kProcess, {head.bytes(), bytes}, {i, 1}, output, &status, &text);
      if (decided) break;
      std::lock_guard lock(mutex_);
      how = link_->ending();
    }
    if (!decided) {
      status = WEIR_E_INTERNAL;
      text = "its process " + how + ", " + std::to_string(Suspects::kDeaths) + " times in a row with this event";
    }
    if (status == base::kInterrupted) return status;
    if (status != WEIR_OK) output->reject(output, i, static_cast<uint32_t>(status), text_of(text));
  }
  return WEIR_OK;
}

weir_status Remote::restore(uint32_t format, std::string_view key, std::string_view value, weir_error* error) {
  std::shared_ptr<Link> child = link();
  Returned returned{WEIR_E_UNAVAILABLE, 0, "its process has ended", "", {}};
  if (child != nullptr) {
    returned = child->call(Step::kRestore, base::now() + kDataCallLimit,
                           Writer().number(format).text(key).text(value).bytes());
  }
  copy_text(error, returned.text);
  if (returned.status != WEIR_OK) return returned.status;
  std::lock_guard lock(mutex_);
  state_[std::string(key)] = value;
  return WEIR_OK;
}

weir_status Remote::tick(const weir_transform_context& context, weir_output* output, weir_error* error) {
  std::string head = Writer().number(context.position).number(context.now_ns).bytes();
  weir_status status = WEIR_OK;
  std::string text;
  for (uint32_t tries = 0; tries < Suspects::kDeaths; ++tries) {
    if (!ask(Message::kTick, {head}, {0, WEIR_BATCH_MAX_EVENTS}, output, &status, &text)) continue;
    copy_text(error, text);
    return status;
  }
  copy_text(error, "its process dies of each tick");
  return WEIR_E_INTERNAL;
}

}  // namespace weir::isolation
