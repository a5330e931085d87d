#include "simulate/disk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace evercore::simulate {

namespace {

constexpr std::size_t sector = 512;

void put(std::string& bytes, std::int64_t offset, std::string_view piece) {
  const auto end = static_cast<std::size_t>(offset) + piece.size();
  if (bytes.size() < end) bytes.resize(end, '\0');
  std::copy(piece.begin(), piece.end(), bytes.begin() + offset);
}

/// What the platter holds of one write: each sector whole, in part or not at all.
void survive(std::string& platter, const Pending& write, Random& random, int percent) {
  if (write.is_size) {
    if (random.chance(percent)) platter.resize(static_cast<std::size_t>(write.offset), '\0');
    return;
  }
  for (std::size_t at = 0; at < write.bytes.size();) {
    const std::size_t place = static_cast<std::size_t>(write.offset) + at;
    std::size_t size = std::min(write.bytes.size() - at, sector - place % sector);
    const std::size_t next = at + size;
    if (random.chance(percent)) {
      if (random.chance(5))
        size = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(size)));
      put(platter, static_cast<std::int64_t>(place),
          std::string_view(write.bytes).substr(at, size));
    }
    at = next;
  }
}

}  // namespace

void Disk::arm(Trouble trouble, std::int64_t calls) {
  armed_ = trouble;
  calls_left_ = calls;
  happened_ = false;
}

bool Disk::peace() {
  armed_ = Trouble::none;
  full_ = false;
  return std::exchange(happened_, false);
}

Trouble Disk::trip(bool grows) {
  if (dead_) return Trouble::death;
  if (full_ && grows) return Trouble::full;
  if (armed_ == Trouble::none || --calls_left_ > 0) return Trouble::none;
  const Trouble now = std::exchange(armed_, Trouble::none);
  happened_ = true;
  if (now == Trouble::death || now == Trouble::power) dead_ = true;
  if (now != Trouble::full) return now;
  full_ = true;
  return grows ? Trouble::full : Trouble::none;
}

void Disk::restart(Trouble how, Random random) {
  if (how == Trouble::power) {
    const int percent = random.pick({0, 20, 50, 80, 100});
    bool came_back = false;
    for (auto& [name, file] : removed) {
      if (files.count(name) != 0 || !random.chance(50)) continue;
      files[name] = file;
      came_back = true;
    }
    for (auto at = files.begin(); at != files.end();) {
      File& file = *at->second;
      const bool there = file.listed || random.chance(percent);
      for (const Pending& write : file.pending) {
        // What a file system does to names and sizes it does in order: a file that SQLite has cut after it
        // removed its journal is not cut where the journal is still there.
        if (came_back && write.is_size) continue;
        survive(file.durable, write, random, percent);
      }
      file.bytes = file.durable;
      file.pending.clear();
      at = there ? std::next(at) : files.erase(at);
    }
  }
  removed.clear();
  for (auto& [name, file] : files) file->shared.clear();
  dead_ = false;
  peace();
}

void Disk::settle() {
  removed.clear();
  for (auto& [name, file] : files) {
    file->durable = file->bytes;
    file->pending.clear();
    file->listed = true;
  }
}

void Disk::replace(const std::string& name, const std::string& by) {
  for (const char* suffix : {"", "-journal", "-wal"}) files.erase(name + suffix);
  removed.clear();
  auto copy = std::make_shared<File>();
  copy->bytes = copy->durable = files.at(by)->bytes;
  copy->listed = true;
  files[name] = copy;
}

}  // namespace evercore::simulate
