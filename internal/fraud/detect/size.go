package detect

import (
	"strconv"
	"strings"
)

// size is what the name of a machine's size says of it.
type size struct {
	name  string // lower case, without "standard_"; "" is no size
	cores int
	gpus  int
	hour  float64 // about US dollars an hour, pay as you go
}

// gpu is a family of sizes with GPUs: how many cores stand beside each GPU, and what a core is
// charged with it.
type gpu struct {
	part    string // of the size's name, in the order in which they are tried
	perGPU  int    // cores
	perCore float64
}

// gpus are the families of Azure's N series. What an hour of a core costs is a rounded list
// price of East US, good for an estimate of the order only.
//
// Source: Microsoft Learn, "GPU accelerated virtual machine sizes", and the Azure Retail Prices
// API, as of 2026-11.
var gpus = []gpu{
	{"h200", 12, 1.10}, {"nd96isr_h100", 12, 1.02}, {"h100", 40, 0.175}, {"nd96", 12, 0.30}, {"nd40", 5, 0.55}, {"mi300", 12, 0.50},
	{"a100", 24, 0.153}, {"t4", 16, 0.07}, {"a10", 36, 0.09}, {"v620", 8, 0.06},
	{"nd", 6, 0.35}, {"nv4as", 16, 0.06}, {"nv8as", 16, 0.06}, {"nv16as", 16, 0.06}, {"nv32as", 16, 0.06}, {"nv", 12, 0.10},
	{"ng", 8, 0.06}, {"nc", 6, 0.40},
}

// older are cores of the first series, whose number is not that of the cores.
var older = map[string]int{
	"d1": 1, "d2": 2, "d3": 4, "d4": 8, "d5": 16, "d11": 2, "d12": 4, "d13": 8, "d14": 16, "d15": 20,
	"a0": 1, "a1": 1, "a2": 2, "a3": 4, "a4": 8, "a5": 2, "a6": 4, "a7": 8, "a8": 8, "a9": 16, "a10": 8, "a11": 16,
	"g1": 2, "g2": 4, "g3": 8, "g4": 16, "g5": 32,
}

// Prices of a core for an hour where no better one is known, in about US dollars.
const (
	coreHour   = 0.05
	memoryHour = 0.09 // of the M series
)

// tokens that a meter's name has behind a size's.
var behind = []string{" low priority", " spot", "/", " - "}

// parseSize reads a size's or a meter's name: "Standard_NC64as_T4_v3", "NC64as T4 v3 Spot".
func parseSize(s string) size {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 80 {
		return size{}
	}
	for _, b := range behind {
		s, _, _ = strings.Cut(s, b)
	}
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "_")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "standard_"), "basic_")
	letters := 0
	for letters < len(s) && 'a' <= s[letters] && s[letters] <= 'z' {
		letters++
	}
	digits := letters
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		digits++
	}
	if letters == 0 || letters > 4 || digits == letters || digits-letters > 4 {
		return size{}
	}
	if digits < len(s) && s[digits] != '_' && s[digits] != '-' && (s[digits] < 'a' || s[digits] > 'z') {
		return size{}
	}
	z := size{name: s}
	z.cores, _ = strconv.Atoi(s[letters:digits])
	z.measure(s[:letters], s[letters:digits], s[digits:])
	return z
}

// measure says what a size has, by the parts of its name.
func (z *size) measure(family, number, rest string) {
	first := strings.TrimSuffix(family, "s") + number
	if cores, ok := older[first]; ok && (rest == "" || rest == "_v2" && family[0] == 'd') {
		z.cores = cores
	}
	if z.cores == 0 || z.cores > 1000 {
		z.cores = 1
	}
	z.hour = coreHour * float64(z.cores)
	switch family[0] {
	case 'm':
		z.hour = memoryHour * float64(z.cores)
	case 'n':
		for _, g := range gpus {
			if strings.Contains(z.name, g.part) {
				z.gpus = max(1, z.cores/g.perGPU)
				z.hour = g.perCore * float64(z.cores)
				return
			}
		}
	}
}

// manyCores is from how many cores on a machine is a large one.
const manyCores = 32
