// A source in a child: its batches come in, what became of them goes back.
#include <cstring>

#include "isolation/remote.h"

namespace weir::isolation {
namespace {

constexpr uint32_t kRetryMs = 1000;

void write(Writer& body, uint64_t number, const weir_settlement& settlement) {
  body.number(number).number(settlement.state).number(settlement.count).number(settlement.epoch);
  body.number(settlement.first_sequence).number(settlement.duplicates).number(settlement.retry_after_ms);
  size_t ids = settlement.ids != nullptr ? settlement.count * sizeof *settlement.ids : 0;
  body.text({reinterpret_cast<const char*>(settlement.ids), ids});
}

}  // namespace

// On the ring's thread. The batch lies in memory that the child does not share, so what is checked here stays true.
void Remote::emitted(Reader body) {
  auto number = body.number<uint64_t>();
  std::string_view bytes = body.rest();
  const auto* batch = reinterpret_cast<const weir_batch*>(bytes.data());
  std::shared_ptr<Link> child = link();
  if (child == nullptr) return;
  if (bytes.size() < sizeof *batch || batch->total_size != bytes.size()) {
    child->kill("emitted what is no batch and was ended");
    return;
  }
  uint64_t token;
  {
    std::lock_guard lock(mutex_);
    token = next_token_++;
    emitted_[token] = {serving_, number};
  }
  weir_emit_result result{};
  if (ingress_->emit(host_, batch, token, &result) == WEIR_ACCEPTED) return;
  weir_settlement settlement{};
  settlement.state = WEIR_FAILED;
  settlement.count = batch->count;
  settlement.retry_after_ms = result.retry_after_ms != 0 ? result.retry_after_ms : kRetryMs;
  {
    std::lock_guard lock(mutex_);
    emitted_.erase(token);
  }
  Writer refusal;
  refusal.number(uint32_t{1});
  write(refusal, number, settlement);
  child->send(Message::kSettled, {refusal.bytes()}, base::now() + kDataCallLimit);
}

void Remote::settled(const weir_settlement* settlements, uint32_t n) {
  Writer told;
  uint32_t count = 0;
  {
    std::lock_guard lock(mutex_);
    for (uint32_t i = 0; i < n; ++i) {
      auto emitted = emitted_.extract(settlements[i].token);
      // The one who emitted it has died: nobody waits for the answer any more.
      if (emitted.empty() || emitted.mapped().child != serving_) continue;
      write(told, emitted.mapped().number, settlements[i]);
      ++count;
    }
  }
  std::shared_ptr<Link> child = link();
  if (count == 0 || child == nullptr) return;
  std::string_view head(reinterpret_cast<const char*>(&count), sizeof count);
  child->send(Message::kSettled, {head, told.bytes()}, base::now() + kDataCallLimit);
}

void Remote::credit(uint64_t events, uint64_t bytes) {
  if (auto child = link()) {
    child->send(Message::kCredit, {Writer().number(events).number(bytes).bytes()}, base::now() + kDataCallLimit);
  }
}

}  // namespace weir::isolation
