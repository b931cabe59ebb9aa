<?php
// Call SendMessage with PHP ext-soap: php client.php WSDL VERSION < request as JSON > answer as JSON
[, $wsdl, $version] = $argv;
$request = json_decode(stream_get_contents(STDIN), true);
$request['Container'] = base64_decode($request['Container']);
$client = new SoapClient($wsdl, [
    'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'exceptions' => true,
]);
try {
    $reply = $client->SendMessage($request);
    $answer = ['receipt' => base64_encode($reply->Receipt)];
} catch (SoapFault $fault) {
    $answer = ['faultcode' => $fault->faultcode, 'detail' => $fault->detail->ExchangeFault];
}
echo json_encode($answer);
