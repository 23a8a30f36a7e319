// A sink in a child. What is with it when it dies is reported as to be tried again. When an event was there in a death,
// its batch is given event by event, so that the one that kills is found, and only that one is given up.
#include <cstring>

#include "event/merge.h"
#include "isolation/remote.h"

namespace weir::isolation {
namespace {

constexpr base::Duration kLimitsLimit = std::chrono::seconds(4);

weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

std::string_view bytes_of(const event::Block& block) {
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

void copy_text(weir_error* error, std::string_view from) {
  if (error == nullptr || error->text == nullptr || error->text_capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), error->text_capacity - 1);
  std::memcpy(error->text, from.data(), size);
  error->text[size] = '\0';
}

}  // namespace

void Remote::limits(weir_sink_limits* limits) {
  if (auto child = link()) *limits = child->call(Step::kLimits, base::now() + kLimitsLimit).limits;
}

weir_status Remote::submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error) {
  std::shared_ptr<Link> child = link();
  Submitted submitted;
  submitted.batch = batch;
  submitted.deadline_ns = deadline_ns;
  if (child != nullptr) {
    {
      std::lock_guard lock(mutex_);
      submitted.careful = suspects_.any(batch);
      submitted_[token] = submitted;
    }
    if (give(token, submitted, child, true)) return WEIR_OK;
    std::lock_guard lock(mutex_);
    // When it is no longer there, the child's end has reported it already.
    if (submitted_.erase(token) == 0) return WEIR_OK;
  }
  copy_text(error, down_text());
  return WEIR_E_UNAVAILABLE;
}

// Sends the batch, or the one event whose turn it is.
bool Remote::give(uint64_t token, const Submitted& submitted, const std::shared_ptr<Link>& child, bool wait) {
  Writer head;
  head.number(token).number(submitted.deadline_ns);
  event::Block one;
  std::string_view bytes(reinterpret_cast<const char*>(submitted.batch), static_cast<size_t>(submitted.batch->total_size));
  if (submitted.careful) {
    event::Merger merger;
    merger.add(submitted.batch, submitted.next);
    one = merger.take();
    bytes = bytes_of(one);
  }
  if (!wait) return child->try_send(Message::kSubmit, {head.bytes(), bytes});
  return child->send(Message::kSubmit, {head.bytes(), bytes}, base::Monotonic(base::Duration(submitted.deadline_ns)));
}

void Remote::cancel(uint64_t token) {
  {
    std::lock_guard lock(mutex_);
    submitted_.erase(token);
  }
  if (auto child = link()) {
    child->send(Message::kCancel, {Writer().number(token).bytes()}, base::now() + kDataCallLimit);
  }
}

void Remote::complete(uint64_t token, const std::vector<weir_sink_result>& results) {
  delivery_->complete(host_, token, results.data(), static_cast<uint32_t>(results.size()));
}

void Remote::completed(Reader body) {
  auto token = body.number<uint64_t>();
  auto count = body.number<uint32_t>();
  if (count > WEIR_BATCH_MAX_EVENTS) count = 0;  // a wrong number is the consumer's to judge
  std::vector<weir_sink_result> results(count);
  for (weir_sink_result& result : results) {
    result.outcome = body.number<uint32_t>();
    result.retry_after_ms = body.number<uint32_t>();
    result.code = body.number<uint32_t>();
    result.reason = text_of(body.text());
  }
  if (!body.ok()) {
    if (auto child = link()) child->kill("sent nonsense and was ended");
    return;
  }
  bool careful = false;
  {
    std::lock_guard lock(mutex_);
    auto found = submitted_.find(token);
    if (found != submitted_.end()) {
      careful = found->second.careful;
      if (!careful) {
        suspects_.clear(found->second.batch, 0, found->second.batch->count);
        submitted_.erase(found);
      }
    }
  }
  if (!careful) return complete(token, results);
  weir_sink_result wrong{WEIR_RETRY, 0, 0, 0, text_of("the sink reported a wrong number of results")};
  finish_one(token, count == 1 ? results[0] : wrong);
}

// A careful batch goes on with its next event, or is done.
void Remote::finish_one(uint64_t token, const weir_sink_result& result) {
  std::shared_ptr<Link> child = link();
  Submitted submitted;
  {
    std::lock_guard lock(mutex_);
    auto found = submitted_.find(token);
    if (found == submitted_.end()) return;
    Submitted& at = found->second;
    suspects_.clear(at.batch, at.next, 1);
    at.add(result);
    ++at.next;
    if (at.next < at.batch->count && child != nullptr && give(token, at, child, false)) return;
    conclude(at, "had no room");
    submitted = std::move(at);
    submitted_.erase(found);
  }
  complete(token, submitted);
}

// Says what becomes of the events that the child has not dealt with: those that it did not get to are tried again, one
// that has killed it too often is given up. With mutex_ held: then the batch is there.
void Remote::conclude(Submitted& submitted, const std::string& how) {
  std::string again = "its process " + how;
  std::string killer = again + ", " + std::to_string(Suspects::kDeaths) + " times in a row with this event";
  for (uint32_t i = submitted.careful ? submitted.next : 0; i < submitted.batch->count; ++i) {
    bool guilty = submitted.careful && suspects_.guilty(submitted.batch, i);
    if (guilty) suspects_.clear(submitted.batch, i, 1);
    uint32_t outcome = guilty ? WEIR_REJECT : WEIR_RETRY;
    submitted.add({outcome, 0, 0, 0, text_of(guilty ? killer : again)});
  }
}

void Remote::Submitted::add(const weir_sink_result& result) {
  results.push_back(result);
  reasons.emplace_back(result.reason.size != 0 ? result.reason.data : "", static_cast<size_t>(result.reason.size));
}

void Remote::complete(uint64_t token, Submitted& submitted) {
  for (size_t i = 0; i < submitted.results.size(); ++i) submitted.results[i].reason = text_of(submitted.reasons[i]);
  complete(token, submitted.results);
}

void Remote::not_taken(Reader body) {
  auto token = body.number<uint64_t>();
  body.number<weir_status>();
  auto retry_after_ms = body.number<uint32_t>();
  std::string_view text = body.text();
  if (text.empty()) text = "the sink did not take the batch";
  bool careful;
  {
    std::lock_guard lock(mutex_);
    auto found = submitted_.find(token);
    if (found == submitted_.end()) return;
    careful = found->second.careful;
    if (!careful) submitted_.erase(found);
  }
  weir_sink_result result{WEIR_RETRY, retry_after_ms, 0, 0, text_of(text)};
  careful ? finish_one(token, result) : complete(token, std::vector{result});
}

}  // namespace weir::isolation
