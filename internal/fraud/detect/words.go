package detect

import (
	"fmt"
	"strings"

	"partnerguard/internal/print"
)

// money says an amount of about US dollars.
func money(x float64) string {
	if x < 10 {
		return fmt.Sprintf("$%.2f", x)
	}
	return "$" + print.Number(int64(x+0.5))
}

// times says how many times as much.
func times(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.1f times", x)
	}
	return print.Number(int64(x+0.5)) + " times"
}

// span says how long nothing was seen, as far as it is known.
func span(days int) string {
	if days >= historyDays {
		return "90 days"
	}
	return fmt.Sprintf("the %d days that are known", max(days, 0))
}

// list says names, at most so many.
func list(names []string, most int) string {
	for i, n := range names {
		names[i] = print.Clean(n, print.MaxName)
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// first is a name, or what stands in for it.
func first(name, instead string) string {
	if name == "" {
		return instead
	}
	return print.Clean(name, print.MaxName)
}
