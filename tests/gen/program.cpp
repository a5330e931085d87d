// Writes with the generated aggregates, warms up by the registry, and decodes the whole log.
#include <cstdio>
#include <string>

#include "shop.gen.h"

namespace {

using namespace shop;

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

std::string describe(const gen::AnyEvent& event) {
  return std::visit(
      overloaded{
          [](const OrderPlaced& e) { return "placed " + std::to_string(e.amount); },
          [](const OrderMoved& e) { return "moved to " + e.street; },
          [](const Select& e) { return "selected from " + e.from; },
          [](const Listed& e) { return "listed as " + e.class_ + " " + e.sku.text(); },
          [](const Audited& e) { return "audited by " + e.by; },
          [](const AccountOpened& e) { return "opened by " + e.owner; },
          [](const Inside::Closed&) { return std::string("closed"); },
      },
      event);
}

}  // namespace

int main(int argc, char** argv) try {
  auto store = evercore::connect(argc > 1 ? argv[1] : "memory:");
  store.warmup(gen::registry);
  store.with_context([](evercore::Context& ctx) {
    auto order = ctx.create<gen::OrderAggregate>("o-1");
    OrderPlaced placed;
    placed.amount = 12;
    order.apply(placed);
    order.apply(OrderMoved{"Elm 4", "Oslo"});
    Listed listed;
    listed.class_ = "A";
    listed.sku = Sku("s-1");
    order.apply(listed);
    order.apply(Audited{"Bob"});
    auto account = ctx.create<gen::AccountAggregate>("a-1");
    account.apply(AccountOpened{"Ann"});
    account.apply(Inside::Closed{});
    ctx.publish(order.id(), {"OrderRelocated", R"({"address":"Oak 9"})"}, std::nullopt);
    ctx.publish(order.id(), {"Stranger", "{}"}, std::nullopt);
  });
  for (const auto& recorded : store.follow(0)) {
    const auto event = gen::decode(recorded);
    std::printf("%s: %s\n", recorded.event_type.c_str(),
                event ? describe(*event).c_str() : "unknown");
  }
  for (const auto name : gen::aggregate_types)
    std::printf("%.*s ", static_cast<int>(name.size()), name.data());
  std::printf("%zu\n", gen::event_types.size());
  try {
    evercore::RecordedEvent wrong;
    wrong.event_type = "Audited";
    wrong.data = R"({"by":5})";
    gen::decode(wrong);
  } catch (const evercore::decode_error& fault) {
    std::printf("%s\n", fault.field().c_str());
  }
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
