// Package archivetest fills archives for tests, as collecting would, and looks into
// every byte of one for what must not be there. Tests only.
package archivetest
