package anchor

// SavedNotes gives the notes of a saved mail, or the note itself.
func SavedNotes(raw []byte, each func([]byte)) error {
	if n, ok := noteIn(raw); ok {
		each(n)
		return nil
	}
	f := finder{left: maxParts}
	f.message(raw, 0)
	for _, n := range f.notes {
		each(n)
	}
	return nil
}

var (
	// ObjectName is what a checkpoint is called.
	ObjectName = objectName
	// ParseObjectName reads it.
	ParseObjectName = parseObjectName
)
