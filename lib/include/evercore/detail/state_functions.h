// What a state says of events by functions: apply(), validate() and fold_rules(). What is almost one of
// them would silently never be called; the checks here say so.
#ifndef EVERCORE_DETAIL_STATE_FUNCTIONS_H
#define EVERCORE_DETAIL_STATE_FUNCTIONS_H

#include "evercore/event.h"

namespace evercore::detail {

template <class S, class E>
concept custom_with_info = requires(S& state, const E& event, const EventInfo& info) {
  state.apply(event, info);
};
template <class S, class E>
concept custom = custom_with_info<S, E> || requires(S& state, const E& event) {
  state.apply(event);
};

// The library calls apply(const Event&) and validate(const Event&) const, where they are.

template <class S, class E>
concept applies_unless_const =
    !custom<S, E> &&
    (
        requires(S & state, E& event) { state.apply(event); } ||
        requires(S & state, E event) { state.apply(std::move(event)); } ||
        requires(S & state, E& event, EventInfo& info) { state.apply(event, info); } ||
        requires(S & state, E event, EventInfo info) { state.apply(std::move(event), info); });
template <class S, class E>
concept applies_to_const = requires(const S& state, const E& event, const EventInfo& info) {
  state.apply(event, info);
}
|| (!custom_with_info<S, E> && requires(const S& state, const E& event) { state.apply(event); });
template <class S, class E>
concept applies_misspelled = requires(S& state, E& event) {
  state.Apply(event);
}
|| requires(S& state, const E& event) {
  state.Apply(event);
}
|| requires(S& state, E& event, EventInfo& info) {
  state.Apply(event, info);
}
|| requires(S& state, const E& event, const EventInfo& info) {
  state.Apply(event, info);
};

template <class R, class S>
inline constexpr bool gives_nothing = std::is_void_v<R> || std::is_same_v<R, S&>;

// Whether apply() gives nothing, or the state it was called on.
template <class S, class E>
constexpr bool applies_well() {
  if constexpr (custom_with_info<S, E>) {
    return gives_nothing<decltype(std::declval<S&>().apply(std::declval<const E&>(),
                                                           std::declval<const EventInfo&>())),
                         S>;
  } else if constexpr (custom<S, E>) {
    return gives_nothing<decltype(std::declval<S&>().apply(std::declval<const E&>())), S>;
  } else {
    return true;
  }
}

template <class S, class E>
concept validates = requires(const S& state, const E& event) {
  state.validate(event);
};
template <class S, class E>
concept validates_unless_const =
    !validates<S, E> && (
                            requires(S & state, E& event) { state.validate(event); } ||
                            requires(S & state, const E& event) { state.validate(event); } ||
                            requires(S & state, E event) { state.validate(std::move(event)); });

template <class S, class E>
concept validates_misspelled = requires(S& state, E& event) {
  state.Validate(event);
}
|| requires(S& state, const E& event) {
  state.Validate(event);
};

template <class S, class E>
constexpr bool validates_well() {
  if constexpr (validates<S, E>) {
    return std::is_void_v<decltype(std::declval<const S&>().validate(std::declval<const E&>()))>;
  } else {
    return true;
  }
}

// A state that says by which rules SQL folds a custom event.
template <class S, class E>
concept has_rules = requires(const E& event) {
  { S::fold_rules(event) } -> std::convertible_to<std::string_view>;
};
// A constant needs no event: one that is nowhere will do, for nobody reads it.
template <class S, class E>
concept has_constant_rules = requires {
  typename std::bool_constant<
      std::string_view{S::fold_rules(reflect::detail::nowhere<E>.value)}.empty()>;
};
template <class S, class E>
concept has_rules_unless_static = !has_rules<S, E> && requires(S & state, E& event) {
  state.fold_rules(event);
};

template <class S, class E>
constexpr bool rules_are_an_array() {
  const std::string_view rules = S::fold_rules(reflect::detail::nowhere<E>.value);
  const auto first = rules.find_first_not_of(" \t\r\n");
  return first != rules.npos && rules[first] == '[';
}

// Fails to compile where a state has almost the rules that the library declares for this event.
template <class S, class E>
constexpr void check_rules() {
  static_assert(
      !has_rules_unless_static<S, E>,
      "evercore: the state's fold_rules() would never be called for this event; let it be "
      "static, take const Event& and give a std::string_view");
  if constexpr (has_rules<S, E>) {
    static_assert(
        custom<S, E>,
        "evercore: the state has fold_rules() for this event and no apply(); write one that does "
        "what the rules say");
    static_assert(
        has_constant_rules<S, E>,
        "evercore: the state's fold_rules() gives no constant; make it constexpr, and let it "
        "give a text that lives as long as the program");
    if constexpr (has_constant_rules<S, E>) {
      static_assert(rules_are_an_array<S, E>(),
                    "evercore: the state's fold_rules() gives no rules; they are a JSON array of "
                    "operations, such as [{\"add\":{\"/balance\":\"/amount\"}}]");
    }
  }
}

// How the store folds the event: what evercore_event_type() takes.
template <class S, class E>
constexpr std::string_view declared_fold() {
  if constexpr (has_rules<S, E>) {
    return S::fold_rules(reflect::detail::nowhere<E>.value);
  } else {
    return custom<S, E> ? "custom" : "merge";
  }
}

// Fails to compile where a state has almost what the library calls for this event.
template <class S, class E>
constexpr bool check_functions() {
  static_assert(
      !applies_unless_const<S, E>,
      "evercore: the state's apply() takes this event by a reference that is not const, so it "
      "would "
      "never be called; write apply(const Event&) or apply(const Event&, const EventInfo&)");
  static_assert(!applies_to_const<S, E>,
                "evercore: the state's apply() is const or static, so it cannot change the state; "
                "drop that, or the function, if the event is to change nothing");
  static_assert(
      applies_well<S, E>(),
      "evercore: what the state's apply() returns would be dropped; let it return void and "
      "change the state itself");
  static_assert(custom<S, E> || !applies_misspelled<S, E>,
                "evercore: the state has an Apply() for this event, and the library calls apply(); "
                "write it with a small a");
  static_assert(!validates_unless_const<S, E>,
                "evercore: the state's validate() would never be called for this event; let it be "
                "const and take const Event&");
  static_assert(validates<S, E> || !validates_misspelled<S, E>,
                "evercore: the state has a Validate() for this event, and the library calls "
                "validate(); write it with a small v");
  static_assert(
      validates_well<S, E>(),
      "evercore: what the state's validate() returns would be dropped; let it return void "
      "and throw, as evercore::refused_error, to refuse the event");
  check_rules<S, E>();
  return !applies_unless_const<S, E> && !applies_to_const<S, E> && applies_well<S, E>() &&
         (custom<S, E> || !applies_misspelled<S, E>)&&!validates_unless_const<S, E> &&
         (validates<S, E> || !validates_misspelled<S, E>)&&validates_well<S, E>();
}

// A function that is not public beside others of its name that are: overloads that may not be called are
// passed over in silence. A using-declaration names them all, so that it does not compile for a private
// one, and lets a protected one be called.
template <class S>
struct every_apply_must_be_public : S {
  using S::apply;
};
template <class S>
struct every_validate_must_be_public : S {
  using S::validate;
};

// Fails to compile where an event would go past an apply() or a validate() that it should not.
template <class S, class... E>
constexpr void check_overloads() {
  if constexpr (has_member_apply<S> && (custom<S, E> || ...) && !(custom<S, E> && ...)) {
    static_assert(((custom<S, E> || !custom<every_apply_must_be_public<S>, E>)&&...),
                  "evercore: the state has an apply() for this event that is protected; make it "
                  "public");
  }
  if constexpr (has_member_validate<S> && (validates<S, E> || ...) && !(validates<S, E> && ...)) {
    static_assert(((validates<S, E> || !validates<every_validate_must_be_public<S>, E>)&&...),
                  "evercore: the state has a validate() for this event that is protected; make it "
                  "public");
  }
}

// The same for what cannot be told of one event: functions that are there, private perhaps, and that
// none of the events reaches.
template <class S, class... E>
constexpr bool check_reached() {
  constexpr bool a_member = reflect::member_index<S>("apply") < reflect::member_count<S>;
  constexpr bool reaches_apply = a_member || sizeof...(E) == 0 || (custom<S, E> || ...);
  constexpr bool reaches_validate = sizeof...(E) == 0 || (validates<S, E> || ...);
  static_assert(
      reaches_apply || !has_member_apply<S>,
      "evercore: the state has an apply() that none of the aggregate's events reaches; make it "
      "public, let it take (const Event&) or (const Event&, const EventInfo&), and list that "
      "event");
  static_assert(
      reaches_apply || !has_member_Apply<S>,
      "evercore: the state has an Apply(), and the library calls apply(); write it with a "
      "small a, and public");
  static_assert(
      reaches_validate || !has_member_validate<S> ||
          reflect::member_index<S>("validate") < reflect::member_count<S>,
      "evercore: the state has a validate() that none of the aggregate's events reaches; make it "
      "public and const, let it take (const Event&), and list that event");
  static_assert(
      reaches_validate || !has_member_Validate<S>,
      "evercore: the state has a Validate(), and the library calls validate(); write it with a "
      "small v, public and const");
  constexpr bool rules_a_member = reflect::member_index<S>("fold_rules") < reflect::member_count<S>;
  static_assert(
      rules_a_member || sizeof...(E) == 0 || !has_member_fold_rules<S> ||
          (has_rules<S, E> || ...) || (has_rules_unless_static<S, E> || ...),
      "evercore: the state has fold_rules() that none of the aggregate's events reaches; make it "
      "public and static, let it take (const Event&), and list that event");
  check_overloads<S, E...>();
  return true;
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_STATE_FUNCTIONS_H
