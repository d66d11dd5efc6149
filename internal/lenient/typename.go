package lenient

import (
	"regexp"
	"strings"
)

// typeName is what .NET prints for an object that it cannot show: the name of
// its type, as ConvertTo-Json does below its depth, Export-Csv of every object,
// and Format-Table.
var typeName = regexp.MustCompile(`^(System\.(Object|String|Collections|Guid|Byte|Int|Nullable|Management|DateTime|TimeSpan)|` +
	`Microsoft\.(Graph|Open|Online|PowerShell|Azure|Exchange|Entra|Management)\.)[A-Za-z0-9_.+]*(` + "`" + `[0-9]+)?(\[.*\])*$`)

// TypeName reports a text that names the type of a value instead of saying the
// value: "System.Object[]", "Microsoft.Graph.PowerShell.Models.…", several of
// them joined by spaces, or an object as PowerShell prints it, "@{A=1; B=}".
func TypeName(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 4 || len(s) > 1<<16 {
		return false
	}
	if strings.HasPrefix(s, "@{") && strings.HasSuffix(s, "}") && strings.Contains(s, "=") {
		return true
	}
	first, _, _ := strings.Cut(s, " ")
	return typeName.MatchString(first) || typeName.MatchString(s)
}
