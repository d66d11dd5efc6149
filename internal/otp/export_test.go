package otp

// Parse opens the door of the reader to its fuzz target.
func Parse(text []byte) error {
	f, err := parse(text)
	if err == nil {
		_, err = f.open(make([]byte, 32))
	}
	return err
}

// Unmarshal reads what is inside of what is sealed.
func Unmarshal(plain []byte) (*Book, error) { return unmarshal(plain) }
