// The keywords of JSON Schema that a declaration may use, and what each of them must have as its value.
#pragma once

#include <string_view>

namespace evercore::ext {

/// In the order in which they are tried at each place.
enum class Keyword {
  type,
  enum_,
  const_,
  properties,
  required,
  additional_properties,
  property_names,
  min_properties,
  max_properties,
  items,
  prefix_items,
  contains,
  min_contains,
  max_contains,
  min_items,
  max_items,
  unique_items,
  minimum,
  maximum,
  exclusive_minimum,
  exclusive_maximum,
  min_length,
  max_length,
  all_of,
  any_of,
  one_of,
  not_,
  if_,
  then_,
  else_,
  dependent_required,
  dependent_schemas,
  definitions,
  reference,
  format,
  id,
  dialect,
  annotation,  ///< says nothing of the data
};

/// What a keyword's value must be.
enum class Shape {
  anything,
  array,
  text,
  boolean,
  number,
  count,
  texts,  ///< each once
  schema,
  schemas,        ///< an array of one or more
  named_schemas,  ///< an object of them
  named_texts,    ///< an object of arrays of texts
  type,
};

struct KeywordRow {
  std::string_view name;
  Keyword keyword;
  Shape shape;
};

inline constexpr KeywordRow keyword_rows[] = {
    {"type", Keyword::type, Shape::type},
    {"enum", Keyword::enum_, Shape::array},
    {"const", Keyword::const_, Shape::anything},
    {"properties", Keyword::properties, Shape::named_schemas},
    {"required", Keyword::required, Shape::texts},
    {"additionalProperties", Keyword::additional_properties, Shape::schema},
    {"propertyNames", Keyword::property_names, Shape::schema},
    {"minProperties", Keyword::min_properties, Shape::count},
    {"maxProperties", Keyword::max_properties, Shape::count},
    {"items", Keyword::items, Shape::schema},
    {"prefixItems", Keyword::prefix_items, Shape::schemas},
    {"contains", Keyword::contains, Shape::schema},
    {"minContains", Keyword::min_contains, Shape::count},
    {"maxContains", Keyword::max_contains, Shape::count},
    {"minItems", Keyword::min_items, Shape::count},
    {"maxItems", Keyword::max_items, Shape::count},
    {"uniqueItems", Keyword::unique_items, Shape::boolean},
    {"minimum", Keyword::minimum, Shape::number},
    {"maximum", Keyword::maximum, Shape::number},
    {"exclusiveMinimum", Keyword::exclusive_minimum, Shape::number},
    {"exclusiveMaximum", Keyword::exclusive_maximum, Shape::number},
    {"minLength", Keyword::min_length, Shape::count},
    {"maxLength", Keyword::max_length, Shape::count},
    {"allOf", Keyword::all_of, Shape::schemas},
    {"anyOf", Keyword::any_of, Shape::schemas},
    {"oneOf", Keyword::one_of, Shape::schemas},
    {"not", Keyword::not_, Shape::schema},
    {"if", Keyword::if_, Shape::schema},
    {"then", Keyword::then_, Shape::schema},
    {"else", Keyword::else_, Shape::schema},
    {"dependentRequired", Keyword::dependent_required, Shape::named_texts},
    {"dependentSchemas", Keyword::dependent_schemas, Shape::named_schemas},
    {"$defs", Keyword::definitions, Shape::named_schemas},
    {"$ref", Keyword::reference, Shape::text},
    {"format", Keyword::format, Shape::text},
    {"$id", Keyword::id, Shape::text},
    {"$schema", Keyword::dialect, Shape::text},
    {"title", Keyword::annotation, Shape::text},
    {"description", Keyword::annotation, Shape::text},
    {"$comment", Keyword::annotation, Shape::text},
    {"default", Keyword::annotation, Shape::anything},
    {"examples", Keyword::annotation, Shape::array},
    {"deprecated", Keyword::annotation, Shape::boolean},
    {"readOnly", Keyword::annotation, Shape::boolean},
    {"writeOnly", Keyword::annotation, Shape::boolean},
};

}  // namespace evercore::ext
