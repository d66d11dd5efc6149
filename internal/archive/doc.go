// Package archive keeps what was collected: pages of Microsoft's APIs as they
// were answered, in segments that are written whole or not at all, to a folder or
// to an object store. Each segment is an entry of the audit trail, so that the
// trail's checkpoints, anchors and witnesses vouch for every byte of the archive,
// and one page can be proved without the rest. Nothing is ever changed: what
// retention takes away leaves its row behind.
//
// The form of an object is package segment's; docs/archive.md describes both.
package archive
