// Package mapped lays a file's bytes open to be read where the kernel keeps them,
// without copying them first. It owns nothing but the mapping.
//
// A mapped file that is cut, or whose disk fails, while it is read faults at the
// place that is gone. Whoever reads it must expect that
// (runtime/debug.SetPanicOnFault) and make an error of it; a file that others write
// to may show either content. Where a system has no mapping for us, or the file is no regular one,
// there is none, and the file is read as ever.
package mapped
