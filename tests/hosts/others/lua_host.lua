-- Lua's LuaSQL loads no extension, and says so.
local connection = require("luasql.sqlite3").sqlite3():connect(":memory:")
local cursor, said = connection:execute("SELECT load_extension('" .. arg[1] .. "')")
local refused = cursor == nil and said:find("not authorized", 1, true) ~= nil
if not refused then print("failed: LuaSQL loads nothing: " .. tostring(said)) end
print(refused and "1 passed, 0 failed" or "0 passed, 1 failed")
os.exit(refused)
