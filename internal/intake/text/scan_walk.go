package text

// Object walks the members of the object the scanner stands on. For each one
// it stands on the value's first byte c and calls member, which either
// consumes the value and reports true, or leaves it to be passed. An error of
// member ends the walk as it is.
func (s *Scanner) Object(member func(key string, c byte) (bool, error)) error {
	s.pos++
	c, err := s.Space(wantKey)
	if err != nil {
		return err
	}
	if c == '}' {
		s.pos++
		return nil
	}
	for afterComma := false; ; afterComma = true {
		if c != '"' {
			return s.key(c, afterComma)
		}
		key, err := s.Text()
		if err != nil {
			return err
		}
		if err := s.colon(); err != nil {
			return err
		}
		if c, err = s.Space(wantValue); err != nil {
			return err
		}
		taken, err := member(key, c)
		if err != nil {
			return err
		}
		if !taken {
			if err := s.Value(); err != nil {
				return err
			}
		}
		if c, err = s.Space("',' or '}'"); err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
			if c, err = s.Space("a name after ','"); err != nil {
				return err
			}
		case '}':
			s.pos++
			return nil
		default:
			return s.Expected("',' or '}'")
		}
	}
}

// Array walks the elements of the array the scanner stands on; element must
// consume each.
func (s *Scanner) Array(element func(c byte) error) error {
	s.pos++
	c, err := s.Space("a value or ']'")
	if err != nil {
		return err
	}
	if c == ']' {
		s.pos++
		return nil
	}
	for afterComma := false; ; afterComma = true {
		if c == ']' || c == '}' {
			return s.noValue(c, afterComma)
		}
		if err := element(c); err != nil {
			return err
		}
		if c, err = s.Space("',' or ']'"); err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
			if c, err = s.Space("a value after ','"); err != nil {
				return err
			}
		case ']':
			s.pos++
			return nil
		default:
			return s.Expected("',' or ']'")
		}
	}
}
