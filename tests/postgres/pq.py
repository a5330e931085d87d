"""A PostgreSQL driver in a page: libpq through ctypes, so that the tests need nothing but Python and libpq."""
import ctypes
import ctypes.util

_pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for _name, _result, _arguments in (
    ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]),
    ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
    ("PQfinish", None, [ctypes.c_void_p]),
    ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
    ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
    ("PQexecParams", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p,
                                       ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]),
    ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
    ("PQresultErrorField", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int]),
    ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
    ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
    ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    ("PQclear", None, [ctypes.c_void_p]),
    ("PQbackendPID", ctypes.c_int, [ctypes.c_void_p]),
    ("PQsetNoticeProcessor", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]),
):
    getattr(_pq, _name).restype = _result
    getattr(_pq, _name).argtypes = _arguments
_quiet = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)(lambda _argument, _message: None)


class Error(Exception):
    """An error of the server: its SQLSTATE, its message, and by which functions it came."""

    def __init__(self, code, message, context=""):
        super().__init__(f"[{code}] {message}")
        self.code = code
        self.message = message
        self.context = context


class Connection:
    """One connection. Used by one thread at a time; other threads run on while it waits."""

    def __init__(self, conninfo, search_path="evercore, public"):
        self._connection = _pq.PQconnectdb(conninfo.encode())
        if _pq.PQstatus(self._connection) != 0:
            message = _pq.PQerrorMessage(self._connection).decode()
            self.close()
            raise Error("08001", message)
        _pq.PQsetNoticeProcessor(self._connection, ctypes.cast(_quiet, ctypes.c_void_p), None)
        if search_path:
            self.rows("SET search_path = " + search_path)

    def rows(self, sql, *parameters):
        """Runs SQL, with $1… bound as text where there are parameters; gives the rows as tuples of str or None."""
        if parameters:
            values = (ctypes.c_char_p * len(parameters))(*[None if p is None else str(p).encode() for p in parameters])
            result = _pq.PQexecParams(self._connection, sql.encode(), len(parameters), None, values, None, None, 0)
        else:
            result = _pq.PQexec(self._connection, sql.encode())
        try:
            if _pq.PQresultStatus(result) not in (0, 1, 2):
                code = _pq.PQresultErrorField(result, ord("C"))
                message = _pq.PQresultErrorField(result, ord("M"))
                if code is None:
                    raise Error("08006", _pq.PQerrorMessage(self._connection).decode())
                context = _pq.PQresultErrorField(result, ord("W")) or b""
                raise Error(code.decode(), message.decode(), context.decode())
            fields = range(_pq.PQnfields(result))
            return [tuple(None if _pq.PQgetisnull(result, row, field) else _pq.PQgetvalue(result, row, field).decode()
                          for field in fields) for row in range(_pq.PQntuples(result))]
        finally:
            _pq.PQclear(result)

    def value(self, sql, *parameters):
        rows = self.rows(sql, *parameters)
        return rows[0][0] if rows else None

    def pid(self):
        return _pq.PQbackendPID(self._connection)

    def close(self):
        if self._connection:
            _pq.PQfinish(self._connection)
            self._connection = None

    def __del__(self):
        # A test's connections go with it: the server has places for so many.
        if _pq is not None:
            self.close()
