# Reads sql/macros.txt, then text, and prints the text with its macros written out. A name that is no macro stays as it is.
BEGIN { text["version"] = version }
FILENAME == ARGV[1] {
  if (/^[a-z_]+(\([a-z_, ]+\))? =$/) {
    name = $0
    sub(/[( ].*/, "", name)
    arguments[name] = /\(/ ? substr($0, index($0, "(") + 1, index($0, ")") - index($0, "(") - 1) : ""
    text[name] = ""
  } else if (/^column /) {
    column[++columns] = $2
    type[columns] = $3
    found[columns] = substr($0, index($0, $4))
  } else if (/^  /) {
    line = $0
    sub(/^ +/, "", line)
    text[name] = text[name] (text[name] == "" ? "" : " ") line
  } else if (!/^#/ && $0 != "") {
    print "sql/macros.txt: not a macro: " $0 >"/dev/stderr"
    exit failed = 1
  }
  next
}
{ print expanded($0) }
END { if (failed) exit 1 }

# From left to right; what a macro gives is looked at again.
function expanded(rest,    done, name, given) {
  done = ""
  while (match(rest, /@[a-z_]+/)) {
    name = substr(rest, RSTART + 1, RLENGTH - 1)
    done = done substr(rest, 1, RSTART - 1)
    rest = substr(rest, RSTART + RLENGTH)
    given = ""
    if (!(name in text || name ~ /^log_(columns|row|view|base)$/) || rest !~ /^[@(]/) {
      done = done "@" name
      continue
    }
    if (substr(rest, 1, 1) == "(") {
      given = substr(rest, 2, closing(rest) - 2)
      rest = substr(rest, length(given) + 3)
      given = expanded(given)
    }
    rest = (name in text ? filled(name, given) : log_list(name, given)) substr(rest, 2)
  }
  return done rest
}

# Where the )@ stands that belongs to the first parenthesis: arguments may use macros, too.
function closing(rest,    place, before) {
  while (index(substr(rest, place + 1), ")@") > 0) {
    place += index(substr(rest, place + 1), ")@")
    before = substr(rest, 1, place + 1)
    if (gsub(/@[a-z_]+[(]/, "", before) + 1 == gsub(/[)]@/, "", before)) return place
  }
  print "sql/macros.txt: )@ is missing: " rest >"/dev/stderr"
  exit failed = 1
}

# The text of a macro with its arguments put in.
function filled(name, given,    names, values, amount, i, result) {
  result = text[name]
  amount = split(arguments[name], names, /, /)
  if (split(given, values, /; /) != amount) {
    print "sql/macros.txt: " name " takes " amount " arguments: " given >"/dev/stderr"
    exit failed = 1
  }
  for (i = 1; i <= amount; i++) result = replaced(result, "{" names[i] "}", values[i])
  return result
}

function replaced(rest, what, by,    done, place) {
  done = ""
  while ((place = index(rest, what)) > 0) {
    done = done substr(rest, 1, place - 1) by
    rest = substr(rest, place + length(what))
  }
  return done rest
}

# What the columns of the log make, `given` saying of some where they are found instead.
function log_list(name, given,    pairs, known, amount, i, plain, place, item, result) {
  amount = split(given, pairs, /; /)
  for (i = 1; i <= amount; i++) known[substr(pairs[i], 1, index(pairs[i], "=") - 1)] = substr(pairs[i], index(pairs[i], "=") + 1)
  for (i = 1; i <= columns; i++) {
    plain = replaced(column[i], "\"", "")
    place = found[i]
    if (name == "log_base") place = "NULL::" type[i]
    if (plain in known) place = known[plain]
    if (name == "log_columns") item = column[i] " " type[i]
    else if (name == "log_view" && place !~ ("^[a-z][.]" column[i] "$")) item = place " AS " column[i]
    else item = place
    result = result (i > 1 ? ", " : "") item
  }
  return result
}
