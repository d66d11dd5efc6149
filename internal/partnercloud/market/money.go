package market

import (
	"math"
	"strings"
)

// Cents is an amount of money in hundredths of a currency's unit.
type Cents int64

// Float is the amount as the API writes it.
func (c Cents) Float() float64 { return float64(c) / 100 }

// Part is a share of the amount, rounded to the nearest cent, halves away from zero.
func (c Cents) Part(n, of int64) Cents {
	if of == 0 {
		return 0
	}
	return Cents(math.Round(float64(c) * float64(n) / float64(of)))
}

// FromFloat rounds an amount to cents.
func FromFloat(v float64) Cents { return Cents(math.Round(v * 100)) }

// Currency is a currency with its invented rate.
type Currency struct {
	Code, Symbol string
	PerUSD       float64 // how much of it one US dollar is: invented
}

var currencies = []Currency{
	{"USD", "$", 1}, {"EUR", "€", 0.9}, {"GBP", "£", 0.8}, {"SEK", "kr", 10}, {"DKK", "kr", 6.7}, {"NOK", "kr", 10.5}, {"CHF", "CHF", 0.9}, {"PLN", "zł", 4},
	{"JPY", "¥", 150}, {"AUD", "A$", 1.5}, {"CAD", "CA$", 1.4},
}

// FindCurrency finds a currency by its code, without case.
func FindCurrency(code string) (Currency, bool) {
	for _, c := range currencies {
		if strings.EqualFold(c.Code, code) {
			return c, true
		}
	}
	return Currency{}, false
}

// Convert brings an amount from one currency into another at the invented rates; an
// unknown currency counts as US dollars.
func Convert(amount Cents, from, to string) Cents {
	if strings.EqualFold(from, to) {
		return amount
	}
	return Cents(math.Round(float64(amount) * Rate(from, to)))
}

// Rate is how much of one currency a unit of another is.
func Rate(from, to string) float64 {
	a, ok := FindCurrency(from)
	if !ok {
		a.PerUSD = 1
	}
	b, ok := FindCurrency(to)
	if !ok {
		b.PerUSD = 1
	}
	return b.PerUSD / a.PerUSD
}
