#include "delivery/transform_state.h"

#include <charconv>
#include <utility>

namespace weir::delivery {
namespace {

// No plugin can put an empty key: it is the host's own, and holds now_ns.
constexpr const char* kNowKey = "";

}  // namespace

base::Status TransformState::restore(journal::State& state, base::FileSystem& files, base::Duration patience,
                                     const Each& each) {
  if (auto done = state.sync(patience); !done) return done;
  return journal::read_keyed_state(files, state.path(), instance_, [&](const journal::KeyedState& kept) -> base::Status {
    if (kept.key == kNowKey) {
      (void)std::from_chars(kept.value->data(), kept.value->data() + kept.value->size(), now_ns_);
      kept_now_ns_ = now_ns_;
      return {};
    }
    sizes_[kept.key] = kept.key.size() + kept.value->size();
    bytes_ += kept.key.size() + kept.value->size();
    return each(kept.format, kept.key, *kept.value);
  });
}

weir_status TransformState::put(weir_text key, const void* value, uint64_t size) {
  std::string name(key.data, key.size);
  auto known = sizes_.find(name);
  uint64_t before = known != sizes_.end() ? known->second : 0, after = size != 0 ? name.size() + size : 0;
  // Checked apart, for a size that is no size.
  if (size > kMaxBytes || bytes_ - before + after > kMaxBytes) return WEIR_E_UNAVAILABLE;
  ++puts_;
  bytes_ += after - before;
  if (size == 0) {
    if (known != sizes_.end()) sizes_.erase(known);
    changes_[std::move(name)] = std::nullopt;
  } else {
    sizes_[name] = after;
    changes_[std::move(name)] = std::string(static_cast<const char*>(value), size);
  }
  return WEIR_OK;
}

std::vector<journal::KeyedState> TransformState::take_changes() {
  std::vector<journal::KeyedState> taken;
  for (auto& [key, value] : changes_) taken.push_back({instance_, key, format_, std::move(value)});
  changes_.clear();
  if (now_ns_ != kept_now_ns_) taken.push_back({instance_, kNowKey, format_, std::to_string(now_ns_)});
  kept_now_ns_ = now_ns_;
  return taken;
}

}  // namespace weir::delivery
