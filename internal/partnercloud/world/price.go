package world

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

var sizeForm = regexp.MustCompile(`(?i)^(?:Standard|Basic)_([A-Z]+)(\d+)`)

// Cores reads the family and the number of cores from a machine's size:
// Standard_NC64as_T4_v3 has 64 of NC. A size that is not read has one core.
func Cores(size string) (family string, n int) {
	m := sizeForm.FindStringSubmatch(size)
	if m == nil {
		return "", 1
	}
	n, _ = strconv.Atoi(m[2])
	return strings.ToUpper(m[1]), max(n, 1)
}

var quotaForm = regexp.MustCompile(`(?i)^(Standard|Basic)_([A-Z]+)\d+(?:-\d+)?([a-z]*)((?:_[A-Za-z0-9]+)*)$`)

// QuotaFamily is the name of the quota that a size counts against, as Azure spells it (K):
// Standard_NC64as_T4_v3 is of Standard NCASv3_T4 Family, Standard_D4s_v5 of
// standardDSv5Family.
func QuotaFamily(size string) string {
	m := quotaForm.FindStringSubmatch(size)
	if m == nil {
		return "standardUnknownFamily"
	}
	version, more := "", ""
	for _, part := range strings.Split(m[4], "_") {
		switch {
		case part == "":
		case len(part) > 1 && (part[0] == 'v' || part[0] == 'V') && part[1] >= '0' && part[1] <= '9':
			version = strings.ToLower(part)
		default:
			more += "_" + part
		}
	}
	if more != "" {
		return strings.ToUpper(m[1][:1]) + m[1][1:] + m[2] + strings.ToUpper(m[3]) + version + more + "Family"
	}
	return strings.ToLower(m[1]) + m[2] + strings.ToUpper(m[3]) + version + "Family"
}

// hourlyOfCore is about what a core of a family costs an hour in US dollars (K: list
// prices of Linux machines in East US, rounded). Families with graphics processors
// cost more.
var hourlyOfCore = map[string]float64{
	"NC": .11, "ND": .28, "NV": .09, "NP": .165, "HB": .03, "HC": .072, "F": .0423, "D": .048, "E": .063, "B": .0416, "M": .104, "L": .078,
	"DC": .048, "EC": .063, "DS": .057, "A": .06,
}

// Hourly is what a machine of a size costs an hour, in a currency as good as any: the
// world's prices are invented, their proportions are not.
func Hourly(size string) float64 {
	family, n := Cores(size)
	price, known := hourlyOfCore[family]
	switch {
	case strings.Contains(strings.ToUpper(size), "_T4"):
		price = .068
	case strings.Contains(strings.ToUpper(size), "_A100"):
		price = .153
	case strings.Contains(strings.ToUpper(size), "_H100"):
		price = .175
	case !known:
		price = .05
	}
	return math.Round(price*float64(n)*1e4) / 1e4
}

// ContainerHourly is what a container group with so many cores and so much memory costs
// an hour (K: 0.0405 a core, 0.00445 a gigabyte).
func ContainerHourly(cores, gigabytes float64) float64 {
	return math.Round((.0405*cores+.00445*gigabytes)*1e4) / 1e4
}
