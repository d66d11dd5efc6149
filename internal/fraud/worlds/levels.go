package worlds

import "time"

// What runs when: each is how many run in an hour of the world.

func always(n int) func(int) int { return func(int) int { return n } }

// atWork runs while people do.
func (w *World) atWork(c *Customer, n int) func(int) int {
	return func(h int) int {
		if w.working(c, h) {
			return n
		}
		return 0
	}
}

// nightly runs some hours of each night.
func nightly(n, from, hours int) func(int) int {
	return func(h int) int {
		if at := (h%24 - from + 24) % 24; at < hours {
			return n
		}
		return 0
	}
}

// curve goes up and down with the day and the week, with some noise: a shop's autoscaling.
func (w *World) curve(seed uint64, low, high int) func(int) int {
	shape := [24]int{0, 0, 0, 0, 0, 5, 15, 35, 60, 80, 90, 95, 90, 85, 85, 80, 80, 90, 100, 95, 70, 40, 20, 5}
	return func(h int) int {
		s := shape[h%24]
		if w.weekend(h) {
			s = s * 6 / 10
		}
		s = s * (85 + noise(seed, h/24, 31)) / 100
		return low + (high-low)*s/100
	}
}

// wobble is about n, by the day.
func wobble(seed uint64, n, percent int) func(int) int {
	return func(h int) int { return n * (100 - percent + noise(seed, h/24, 2*percent+1)) / 100 }
}

// growing is n at the start, and some thousandths more each day.
func growing(n, permille int) func(int) int {
	return func(h int) int { return n + n*permille*h/24/1000 }
}

// steps is a level that is set at hours, in their order.
func steps(at []int, level []int) func(int) int {
	return func(h int) int {
		now := 0
		for i, from := range at {
			if h < from {
				break
			}
			now = level[i]
		}
		return now
	}
}

// monthEnd is more in the last days of a month and on the first of the next.
func (w *World) monthEnd(usual, most int) func(int) int {
	return func(h int) int {
		t := w.hour(h)
		if t.Day() == 1 || t.AddDate(0, 0, 2).Month() != t.Month() {
			return most
		}
		return usual
	}
}

// between is another level in some hours.
func between(from, until int, in, out func(int) int) func(int) int {
	return func(h int) int {
		if h >= from && h < until {
			return in(h)
		}
		return out(h)
	}
}

// saturdays is n in some hours of each Saturday night.
func (w *World) saturdays(n int) func(int) int {
	return func(h int) int {
		if w.weekday(h) == time.Saturday && h%24 >= 1 && h%24 < 9 {
			return n
		}
		return 0
	}
}
