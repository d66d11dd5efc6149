package screen

import "context"

// File is something that a page hands out as it is, at GET /Name/File: a proof, which
// somebody else checks. Whoever may see the page may have it; its address has the members
// of the page's.
type File struct {
	Name  string // "proof"
	About string
	// Load makes it for Ask.Values, which were checked against the page's Params.
	Load func(ctx context.Context, a *Ask) (*Download, error)
}

// Download is what a browser is to keep and not to show.
type Download struct {
	Name string // of the file, letters, digits, dots and dashes
	Type string // its media type
	Body []byte
}
