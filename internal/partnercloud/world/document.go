package world

import (
	"encoding/json"
	"time"
)

// Document is a settings object that is kept as it was written: a Conditional
// Access policy, a named location, an authentication strength. Raw is the
// object in Graph's v1.0 form with id and times filled in.
type Document struct {
	ID      string          `json:"id"`
	Raw     json.RawMessage `json:"raw"`
	Created time.Time       `json:"created"`
	Changed time.Time       `json:"changed,omitzero"`
	ETag    int64           `json:"etag,omitempty"`
	Deleted time.Time       `json:"deleted,omitzero"` // when it was put aside
	// Late and Was say what readers still see, see [Late]; nil: this.
	Late *Late           `json:"late,omitempty"`
	Was  json.RawMessage `json:"was,omitempty"`
}

// Key is the object's id.
func (d *Document) Key() string { return d.ID }
