// The server's headers. They are C, and do not stand up to the warnings of this house.
#pragma once
#pragma GCC system_header

#include <cstddef>
#include <cstdint>
#include <string_view>

// postgres.h comes before all others.
// clang-format off
extern "C" {
#include <postgres.h>

#include <access/xact.h>
#include <catalog/namespace.h>
#include <catalog/pg_collation.h>
#include <catalog/pg_proc.h>
#include <catalog/pg_type.h>
#include <commands/event_trigger.h>
#include <commands/sequence.h>
#include <executor/spi.h>
#include <fmgr.h>
#include <miscadmin.h>
#include <storage/lmgr.h>
#include <storage/proc.h>
#include <utils/array.h>
#include <utils/builtins.h>
#include <utils/fmgrprotos.h>
#include <utils/inval.h>
#include <utils/jsonb.h>
#include <utils/lsyscache.h>
#include <utils/memutils.h>
#include <utils/syscache.h>
#include <utils/timestamp.h>
}
// clang-format on
