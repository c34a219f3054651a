package archive

// NewInflate64 is the reader of Deflate64 alone.
var NewInflate64 = newInflate64
