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
void Remote::emitted(Link& link, uint64_t child, Reader body) {
  auto number = body.number<uint64_t>();
  std::string_view bytes = body.rest();
  const auto* batch = reinterpret_cast<const weir_batch*>(bytes.data());
  if (bytes.size() < sizeof *batch || batch->total_size != bytes.size()) {
    return link.kill("emitted what is no batch and was ended");
  }
  uint64_t token;
  {
    std::lock_guard lock(mutex_);
    token = next_token_++;
    emitted_[token] = {child, number};
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
  link.send(Message::kSettled, {refusal.bytes()}, base::now() + kDataCallLimit);
}

// Each settlement goes to the child that emitted the batch: the one that serves, or its successor that is being started. When
// that one has died, nobody waits for it any more.
void Remote::settled(const weir_settlement* settlements, uint32_t n) {
  struct Told {
    std::shared_ptr<Link> link;
    Writer body = {};
    uint32_t count = 0;
  } serving, starting;
  {
    std::lock_guard lock(mutex_);
    serving.link = link_;
    starting.link = starting_;
    for (uint32_t i = 0; i < n; ++i) {
      auto emitted = emitted_.extract(settlements[i].token);
      if (emitted.empty()) continue;
      Told& told = emitted.mapped().child == serving_ ? serving : starting;
      write(told.body, emitted.mapped().number, settlements[i]);
      ++told.count;
    }
  }
  for (Told* told : {&serving, &starting}) {
    if (told->count == 0 || told->link == nullptr) continue;
    std::string_view head(reinterpret_cast<const char*>(&told->count), sizeof told->count);
    if (!told->link->send(Message::kSettled, {head, told->body.bytes()}, base::now() + kDataCallLimit)) {
      told->link->kill("did not take its settlements and was ended");
    }
  }
}

void Remote::credit(uint64_t events, uint64_t bytes) {
  std::shared_ptr<Link> child = link();
  {
    std::lock_guard lock(mutex_);
    credit_ = {events, bytes};
  }
  if (child != nullptr) {
    child->send(Message::kCredit, {Writer().number(events).number(bytes).bytes()}, base::now() + kDataCallLimit);
  }
}

void Remote::tell_credit(Link& link) const {
  link.try_send(Message::kCredit, {Writer().number(credit_->first).number(credit_->second).bytes()});
}

}  // namespace weir::isolation
