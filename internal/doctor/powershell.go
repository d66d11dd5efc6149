package doctor

import (
	"fmt"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// environments are the names that Connect-MgGraph and Connect-ExchangeOnline
// have for the clouds.
var environments = map[partner.Cloud][2]string{
	partner.Public: {"Global", "O365Default"}, partner.USGov: {"USGov", "O365USGovGCCHigh"}, partner.China: {"China", "O365China"},
}

// graphStart opens Graph. Requests go through Invoke-MgGraphRequest and are
// saved as they come: the SDK's own cmdlets put empty members where there were
// none, and lose those they do not know. PowerShell 7, because earlier ones turn
// moments into \/Date()\/ and lists of one into the one.
const graphStart = `$ErrorActionPreference = 'Stop'
if ($PSVersionTable.PSVersion.Major -lt 7) { throw 'PowerShell 7 is needed: earlier ones change what they save' }
Import-Module Microsoft.Graph.Authentication   # Install-Module Microsoft.Graph.Authentication -Scope CurrentUser
Connect-MgGraph -NoWelcome -Environment %s -Scopes %s
$known = @{ Prefer = 'include-unknown-enum-members' }
function Read-One($uri) { Invoke-MgGraphRequest -Method GET -Uri $uri -Headers $known -OutputType PSObject }
function Read-Pages($uri) {
  $all = [Collections.Generic.List[object]]::new(); $context = $null
  while ($uri) {
    $page = Read-One $uri
    if (-not $context) { $context = $page.'@odata.context' }
    foreach ($one in $page.value) { $all.Add($one) }
    $uri = $page.'@odata.nextLink'
  }
  [ordered]@{ '@odata.context' = $context; value = $all }
}
function Save-Json($what, $file) { ConvertTo-Json -InputObject $what -Depth 20 | Set-Content -Path $file -Encoding utf8NoBOM }
Save-Json @{ exportPlan = 'partnerguard'; exportedAt = [DateTime]::UtcNow.ToString('o') } 'exportedAt.json'   # dates the whole folder
`

// groupStart finds the groups that count and reads their members to the end,
// groups within groups too.
const groupStart = `function Read-Groups {
  if ($script:groups) { return $script:groups }
  $todo = [Collections.Generic.Queue[string]]::new()
  foreach ($p in (Read-Pages '/beta/identity/conditionalAccess/policies').value) {
    foreach ($id in @($p.conditions.users.includeGroups) + @($p.conditions.users.excludeGroups)) { if ($id) { $todo.Enqueue($id) } }
  }
  foreach ($list in %s) {
    try { $given = (Read-Pages "/v1.0/roleManagement/directory/${list}?` + "`" + `$expand=principal").value } catch { Write-Warning "${list}: $_"; continue }
    foreach ($a in $given) { if ($a.principal.'@odata.type' -eq '#microsoft.graph.group') { $todo.Enqueue($a.principalId) } }
  }
  $script:groups = Read-Pages '/v1.0/groups?$select=id,displayName,groupTypes,securityEnabled,mailEnabled,isAssignableToRole,onPremisesSyncEnabled&$top=999'
  $byId = @{}; foreach ($g in $script:groups.value) { $byId[$g.id] = $g }
  while ($todo.Count) {
    $g = $byId[$todo.Dequeue()]
    if (-not $g -or $g.PSObject.Properties['members']) { continue }   # deleted since, or done
    $members = (Read-Pages "/v1.0/groups/$($g.id)/members?` + "`" + `$select=id,displayName,userPrincipalName&` + "`" + `$top=999").value
    $g | Add-Member -NotePropertyName members -NotePropertyValue $members
    foreach ($m in $members) { if ($m.'@odata.type' -eq '#microsoft.graph.group') { $todo.Enqueue($m.id) } }
  }
  $script:groups
}
# One request for each of these groups. What fails is left as a next link, so that the file says itself that it is not whole.
function Read-ForGroups($path) {
  $all = [Collections.Generic.List[object]]::new(); $open = $null
  foreach ($g in (Read-Groups).value | Where-Object { $_.PSObject.Properties['members'] }) {
    $uri = "/v1.0${path}?` + "`" + `$filter=groupId eq '$($g.id)'"
    try { foreach ($one in (Read-Pages $uri).value) { $all.Add($one) } } catch { Write-Warning "$($g.displayName): $_"; $open = $uri }
  }
  $page = [ordered]@{ '@odata.context' = '%s/v1.0/$metadata#' + $path.TrimStart('/'); value = $all }
  if ($open) { $page['@odata.nextLink'] = $open }
  $page
}
`

// centerStart opens Partner Center. Pages are followed with the headers that
// their next link names.
const centerStart = `# Partner Center takes an App+User token: run this in "partnerguard exec --customer partner -- pwsh", or paste one.
$PartnerToken = if ($env:IDENTITY_ENDPOINT) {
  $ask = "$($env:IDENTITY_ENDPOINT)?api-version=2019-08-01&resource=%s"
  ConvertTo-SecureString -AsPlainText (Invoke-RestMethod -Uri $ask -Headers @{ 'X-IDENTITY-HEADER' = $env:IDENTITY_HEADER }).access_token
} else { Read-Host -AsSecureString 'App+User token for Partner Center' }
function Read-Partner($path, $headers = @{}) {
  Invoke-RestMethod -Uri "%s$path" -Authentication Bearer -Token $PartnerToken -Headers (@{ Accept = 'application/json' } + $headers)
}
function Read-PartnerPages($path) {
  $all = [Collections.Generic.List[object]]::new(); $headers = @{}
  while ($path) {
    $page = Read-Partner $path $headers
    foreach ($one in $page.items) { $all.Add($one) }
    $next = $page.links.next; $path = $null; $headers = @{}
    if ($next) { $path = '/v1/' + ($next.uri -replace '^/?(v1/)?'); foreach ($h in $next.headers) { $headers[$h.key] = $h.value } }
  }
  [ordered]@{ totalCount = $all.Count; items = $all }
}
`

const exchangeStart = `Import-Module ExchangeOnlineManagement   # Install-Module ExchangeOnlineManagement -Scope CurrentUser
Connect-ExchangeOnline -ShowBanner:$false -ExchangeEnvironmentName %s
`

// prepare is what is pasted once for a service.
func prepare(s evidence.Service, o *Options, permissions []string, center string) string {
	env := environments[o.Cloud]
	switch s {
	case evidence.PartnerCenter:
		return fmt.Sprintf(centerStart, center, center)
	case evidence.ExchangeOnline:
		return fmt.Sprintf(exchangeStart, env[1])
	}
	scopes := make([]string, len(permissions))
	for i, p := range permissions {
		scopes[i] = "'" + p + "'"
	}
	lists := "'roleAssignments', 'roleEligibilityScheduleInstances'"
	if o.Licence != "" && !o.Licence.Covers(evidence.P2) {
		lists = "'roleAssignments'" // eligibility is refused without the licence
	}
	graph, _, _ := hosts(o.Cloud)
	return fmt.Sprintf(graphStart, env[0], strings.Join(scopes, ", ")) + fmt.Sprintf(groupStart, lists, graph)
}

// Loops that no single request makes.
var loops = map[evidence.Kind]string{
	evidence.SignIn: `foreach ($type in 'interactiveUser', 'nonInteractiveUser') { foreach ($back in 30..0) {
  $day = [DateTime]::UtcNow.Date.AddDays(-$back); $from = $day.ToString('s') + 'Z'; $to = $day.AddDays(1).ToString('s') + 'Z'
  $of = "signInEventTypes/any(t: t eq '$type') and createdDateTime ge $from and createdDateTime le $to"
  Save-Json (Read-Pages "/beta/auditLogs/signIns?` + "`" + `$filter=$of") "signIns-$type-$($from.Substring(0, 10)).json"
} }`,
	evidence.Group:            `Save-Json (Read-Groups) 'groups.json'`,
	evidence.GroupEligibility: `Save-Json (Read-ForGroups '/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances') 'groupEligibility.json'`,
	evidence.GroupAssignment:  `Save-Json (Read-ForGroups '/identityGovernance/privilegedAccess/group/assignmentScheduleInstances') 'groupAssignments.json'`,
	evidence.PerUserMFA: `Save-Json @(foreach ($u in (Read-Pages '/beta/users?$select=id,userPrincipalName&$top=999').value) {
  $state = (Read-One "/beta/users/$($u.id)/authentication/requirements").perUserMfaState
  [ordered]@{ id = $u.id; userPrincipalName = $u.userPrincipalName; perUserMfaState = $state }
}) 'perUserMfa.json'`,
	evidence.AccessAssignment: `Save-Json @(foreach ($r in (Read-Pages '/v1.0/tenantRelationships/delegatedAdminRelationships').value) {
  Read-Pages "/v1.0/tenantRelationships/delegatedAdminRelationships/$($r.id)/accessAssignments"
}) 'delegatedAdminAccessAssignments.json'`,
	evidence.Customer: `$list = Read-PartnerPages '/v1/customers?size=500'
Save-Json ([ordered]@{ totalCount = $list.totalCount; items = @(foreach ($c in $list.items) { Read-Partner "/v1/customers/$($c.id)" }) }) 'customers.json'`,
	evidence.FraudEvent: `Save-Json @(Read-Partner '/v1/fraudEvents' @{ 'X-NewEventsModel' = 'true' }) 'fraudEvents.json'`,
	evidence.UnifiedAuditSignIn: `$rows = [Collections.Generic.List[object]]::new(); $end = (Get-Date).ToUniversalTime()
$ask = @{ StartDate = $end.AddDays(-30); EndDate = $end; SessionId = "$(New-Guid)"; SessionCommand = 'ReturnLargeSet'; ResultSize = 5000 }
do {
  $page = @(Search-UnifiedAuditLog @ask -Operations UserLoggedIn)
  foreach ($r in $page) { $rows.Add((ConvertFrom-Json $r.AuditData)) }
} while ($page.Count)
Save-Json $rows 'unifiedAuditSignIns.json'`,
}

// line is the PowerShell that makes one file, in one paste.
func line(r *evidence.Request, o *Options) string {
	if s, ok := loops[r.Kind]; ok {
		return s
	}
	address := strings.ReplaceAll(r.Address(), "'", "''")
	read := "Read-Pages"
	switch {
	case r.Kind == evidence.MFAAdoption:
		return fmt.Sprintf("Save-Json @(Read-Partner '%s') '%s'", address, r.File) // a bare list
	case r.Service == evidence.PartnerCenter:
		read = "Read-Partner"
	case r.One:
		read = "Read-One"
	}
	return fmt.Sprintf("Save-Json (%s '%s') '%s'", read, address, r.File)
}
