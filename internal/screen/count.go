package screen

// counter counts the values of one filter: those of its Enum without a map, since every
// row of a list is counted for every page.
type counter struct {
	values []string // never changed
	n      []int
	more   map[string]int // the others
}

func (c *counter) add(value string) {
	for i := range c.values {
		if c.values[i] == value {
			c.n[i]++
			return
		}
	}
	if c.more == nil {
		c.more = map[string]int{}
	}
	c.more[value]++
}

func (c *counter) of(value string) int {
	for i := range c.values {
		if c.values[i] == value {
			return c.n[i]
		}
	}
	return c.more[value]
}
