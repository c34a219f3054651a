package yarascan

/*
#cgo pkg-config: yara
#include <yara.h>

// too_many tells whether a string had more matches than libyara keeps: the scan went
// on without it, and what it would have shown is not known.
static int too_many(YR_SCAN_CONTEXT* context) {
	size_t slots = YR_BITMASK_SIZE(context->rules->num_strings);
	for (size_t i = 0; i < slots; i++)
		if (context->strings_temp_disabled[i] != 0)
			return 1;
	return 0;
}

static const char* version(void) { return YR_VERSION; }
*/
import "C"

import (
	"unsafe"

	"github.com/hillu/go-yara/v4"
)

// libyara is the version that this program was built with.
func libyara() string { return C.GoString(C.version()) }

// tooMany looks into the context, of which the binding tells only this much: its one
// field is the pointer to libyara's own.
func tooMany(sc *yara.ScanContext) bool {
	return C.too_many((*C.YR_SCAN_CONTEXT)(*(*unsafe.Pointer)(unsafe.Pointer(sc)))) != 0
}
