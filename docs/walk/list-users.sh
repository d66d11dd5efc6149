#!/bin/sh
# Lists the users of one customer with curl and nothing else. It asks the endpoint
# that `partnerguard exec` answers on, as every Azure SDK does by itself:
#
#   partnerguard exec --customer fabrikam.example -- sh docs/walk/list-users.sh
#
# Header and token go to curl by its standard input: what is on a command line is
# seen by everybody on the machine.
set -eu
ask() { curl --fail --silent --show-error --config - "$1"; }
value() { tr ',' '\n' | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

token=$(printf 'header = "X-IDENTITY-HEADER: %s"\n' "$IDENTITY_HEADER" |
  ask "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://graph.microsoft.com" | value access_token)
printf 'header = "Authorization: Bearer %s"\n' "$token" |
  ask 'https://graph.microsoft.com/v1.0/users?$select=userPrincipalName&$top=100' | value userPrincipalName
