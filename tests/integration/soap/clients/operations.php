<?php
// Call operations in their order: php operations.php WSDL VERSION < [[name, {element: base64}], …] > replies
[, $wsdl, $version] = $argv;
$client = new SoapClient($wsdl, [
    'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);
$replies = [];
foreach (json_decode(stream_get_contents(STDIN), true) as [$operation, $request]) {
    $reply = (array) $client->$operation(array_map('base64_decode', $request));
    foreach (['Container', 'Receipt', 'Directory'] as $binary) {
        if (isset($reply[$binary])) {
            $reply[$binary] = base64_encode($reply[$binary]);
        }
    }
    $replies[] = $reply;
}
echo json_encode($replies);
