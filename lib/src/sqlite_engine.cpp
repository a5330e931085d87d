#include "sqlite_engine.h"

#include "sqlite_watch.h"
#include "statements.h"

namespace evercore::detail {

// The first thread to find no leader leads: it writes what has queued up, wakes those it wrote for,
// and hands the lead to the first who came meanwhile. One that comes when nothing is going on
// writes on the connection it has read with: another connection's commit would make SQLite throw
// that one's page cache away.
void GroupCommit::write(SessionHandle session, std::span<const Command> commands) {
  std::unique_lock lock(mutex_);
  if (session && !led_ && queue_.empty()) {
    led_ = true;
    lock.unlock();
    try {
      write_on(static_cast<SqliteSession&>(*session), commands);
    } catch (...) {
      hand_over(lock);
      throw;
    }
    return hand_over(lock);
  }
  if (session) {
    lock.unlock();
    session.reset();
    lock.lock();
  }
  Request request{commands, {}, false, {}};
  queue_.push_back(&request);
  while (!request.done) {
    if (led_) {
      request.woken.wait(lock);
      continue;
    }
    led_ = true;
    std::deque<Request*> batch;
    batch.swap(queue_);
    lock.unlock();
    lead(batch);
    lock.lock();
    for (Request* written : batch) {
      written->done = true;
      written->woken.notify_one();
    }
    lock.unlock();
    hand_over(lock);
  }
  lock.unlock();
  if (request.fault) std::rethrow_exception(request.fault);
}

// Gives up the lead and wakes who waits for it. Takes the lock and keeps it.
void GroupCommit::hand_over(std::unique_lock<std::mutex>& lock) noexcept {
  lock.lock();
  led_ = false;
  if (!queue_.empty()) queue_.front()->woken.notify_one();
}

// One write on a connection of the pool.
void GroupCommit::write_on(SqliteSession& session, std::span<const Command> commands) {
  session.rollback();
  if (commands.size() != 1) {
    session.begin_write();  // which enters the gate
    return session.commit(commands);
  }
  gate_.enter();
  try {
    session.run(commands);  // one call of the surface is atomic by itself
  } catch (...) {
    gate_.leave();
    throw;
  }
  gate_.leave();
}

void GroupCommit::lead(std::deque<Request*>& batch) noexcept {
  try {
    gate_.enter();
  } catch (...) {
    for (Request* request : batch) request->fault = std::current_exception();
    return;
  }
  if (batch.size() == 1 || !write_together(batch)) {
    for (Request* request : batch) write_alone(*request);
  }
  gate_.leave();
}

void GroupCommit::write_alone(Request& request) noexcept {
  request.fault = nullptr;
  try {
    if (request.commands.size() == 1) {
      session_.run(request.commands);  // one call of the surface is atomic by itself
    } else {
      session_.begin_write();
      session_.commit(request.commands);
    }
  } catch (...) {
    request.fault = std::current_exception();
    session_.rollback();
  }
}

// Where a member cannot be taken back by itself, the whole transaction is given up: it must not be committed with the others.
void GroupCommit::write_savepoint(Request& request) {
  if (request.commands.size() == 1) return session_.run(request.commands);
  session_.execute("SAVEPOINT evercore_group");
  try {
    session_.run(request.commands);
    session_.execute("RELEASE evercore_group");
  } catch (...) {
    try {
      if (session_.in_transaction()) {
        session_.execute("ROLLBACK TO evercore_group");
        session_.execute("RELEASE evercore_group");
      }
    } catch (...) {
      session_.rollback();
    }
    throw;
  }
}

// Gives false when the engine gave the whole transaction up on the way: then each has to be tried
// by itself.
bool GroupCommit::write_together(std::deque<Request*>& batch) noexcept {
  std::exception_ptr fault;
  try {
    session_.begin_write();
    for (Request* request : batch) {
      try {
        write_savepoint(*request);
      } catch (...) {
        request->fault = std::current_exception();
        if (!session_.in_transaction()) {
          session_.rollback();
          return false;
        }
      }
    }
    session_.commit({});
    return true;
  } catch (...) {
    fault = std::current_exception();
  }
  session_.rollback();
  for (Request* request : batch) {
    if (!request->fault) request->fault = fault;
  }
  return true;
}

SqliteEngine::SqliteEngine(const SqliteOptions& options)
    : options_(options),
      gate_(options.busy_timeout),
      pool_(options.pool_size, options.busy_timeout) {
  if (!options.path.empty()) group_ = std::make_unique<GroupCommit>(options_, gate_);
  if (options.migrate) session()->run(Command(statements::migrate, {}));
}

SessionHandle SqliteEngine::session() {
  auto session = pool_.take();
  if (!session) {
    try {
      session = std::make_unique<SqliteSession>(options_, group_ ? &gate_ : nullptr);
    } catch (...) {
      pool_.forget();
      throw;
    }
  }
  return SessionHandle(session.release(), SessionReturn{this});
}

void SqliteEngine::give_back(Session* session) noexcept {
  session->rollback();
  pool_.give_back(std::unique_ptr<SqliteSession>(static_cast<SqliteSession*>(session)));
}

std::unique_ptr<Watch> SqliteEngine::watch() {
  if (options_.path.empty()) return StorageEngine::watch();
  return std::make_unique<SqliteWatch>(options_, signal());
}

void SqliteEngine::write(SessionHandle session, std::span<const Command> commands) {
  if (group_) return group_->write(std::move(session), commands);
  if (!session) session = this->session();
  session->rollback();
  if (commands.size() == 1) {
    session->run(commands);
  } else {
    session->begin_write();
    session->commit(commands);
  }
}

}  // namespace evercore::detail
